package access

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestTokensOfAFileAreReadLineByLine(t *testing.T) {
	t.Parallel()
	tokens, err := ParseFile("# people\n\nviewer:v:one\r\n  operator:o:two:with:colons \n")
	if err != nil || len(tokens) != 2 || tokens[1] != NewToken(Operator, "o", "two:with:colons") || tokens[0] != NewToken(Viewer, "v", "one") {
		t.Errorf("%v, %v", tokens, err)
	}
	for text, want := range map[string]string{
		"viewer:v": "token 1 is not written as", "viewer::x": "has no name", "View er:v:x": "has no role", "viewer:v:": "printable",
		"viewer:v:x\nauthor:a:x": "tokens 1 and 2 are the same", "viewer:v:x y": "printable",
	} {
		if _, err := ParseFile(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "x y") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ParseTokens(" , "); err == nil {
		t.Error("commas without a token open the server")
	}
	if _, err := Join(tokens, tokens[:1]); err == nil || !strings.Contains(err.Error(), "viewer:v and viewer:v") {
		t.Errorf("the same in two sources: %v", err)
	}
}

// browser keeps the cookie of a server, as people's do.
type browser struct {
	t      *testing.T
	h      http.Handler
	cookie *http.Cookie
}

func (b *browser) do(method, path string, form url.Values) *http.Response {
	b.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Host = "127.0.0.1:8080"
	r.Header.Set("Accept", "text/html,*/*")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	rec := httptest.NewRecorder()
	b.h.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		if b.cookie = c; c.MaxAge < 0 {
			b.cookie = nil
		}
	}
	return rec.Result()
}

func TestPeopleLogInOnceAndOut(t *testing.T) {
	t.Parallel()
	now := time.Now()
	tokens := []Token{NewToken(Viewer, "v", "s3cret"), NewToken(Operator, "o", "oper")}
	make := func(tokens []Token) http.Handler {
		g := New(Config{Listen: "127.0.0.1:8080", Tokens: tokens, Clock: func() time.Time { return now }})
		return g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			who, ok := Of(r.Context())
			if !ok {
				t.Error("nobody is known to ask")
			}
			_, _ = w.Write([]byte(who.Role))
		}))
	}
	b := &browser{t: t, h: make(tokens)}
	if r := b.do("GET", "/board?x=1", nil); r.StatusCode != 401 || !strings.Contains(read(r), `value="/board?x=1"`) {
		t.Errorf("before the login: %d", r.StatusCode)
	}
	if r := b.do("POST", "/login", url.Values{"token": {"guess"}}); r.StatusCode != 401 || b.cookie != nil || !strings.Contains(read(r), "not known") {
		t.Errorf("a guess: %d", r.StatusCode)
	}
	r := b.do("POST", "/login", url.Values{"token": {"s3cret"}, "next": {"/board?x=1"}})
	if r.StatusCode != 303 || r.Header.Get("Location") != "/board?x=1" || b.cookie == nil {
		t.Fatalf("the login: %d to %s", r.StatusCode, r.Header.Get("Location"))
	}
	if c := b.cookie; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || strings.Contains(c.Value, "s3cret") {
		t.Errorf("the cookie: %+v", c)
	}
	if r := b.do("GET", "/board", nil); r.StatusCode != 200 || read(r) != Viewer {
		t.Errorf("after it: %d", r.StatusCode)
	}
	if r := b.do("POST", "/board", nil); r.StatusCode != 403 {
		t.Errorf("a viewer writes: %d", r.StatusCode)
	}
	kept := *b.cookie
	b.h = make(tokens) // the server was restarted
	if r := b.do("GET", "/board", nil); r.StatusCode != 200 {
		t.Errorf("after a restart: %d", r.StatusCode)
	}
	for what, value := range map[string]string{
		"another role": strings.Replace(kept.Value, "viewer/v", "operator/o", 1), "longer": kept.Value + "0", "nothing": "", "a later end": tomorrow(kept.Value),
	} {
		forged := kept
		forged.Value = value
		b.cookie = &forged
		if r := b.do("GET", "/board", nil); r.StatusCode != 401 {
			t.Errorf("%s: %d", what, r.StatusCode)
		}
	}
	b.cookie = &kept
	b.h = make(tokens[1:]) // the token was removed
	if r := b.do("GET", "/board", nil); r.StatusCode != 401 {
		t.Errorf("without its token: %d", r.StatusCode)
	}
	b.h = make(tokens)
	if r := b.do("POST", "/logout", nil); r.StatusCode != 303 || b.cookie != nil {
		t.Errorf("the logout: %d", r.StatusCode)
	}
	b.cookie = &kept
	now = now.Add(sessionFor + time.Second)
	if r := b.do("GET", "/board", nil); r.StatusCode != 401 {
		t.Errorf("after its time: %d", r.StatusCode)
	}
	for _, next := range []string{"//evil.example", "https://evil.example", `/\evil.example`, "/\t/evil.example", "evil", "/a\r\nb"} {
		if r := b.do("POST", "/login", url.Values{"token": {"s3cret"}, "next": {next}}); r.Header.Get("Location") != "/" {
			t.Errorf("%q leads to %s", next, r.Header.Get("Location"))
		}
	}
}

// tomorrow makes a session longer.
func tomorrow(value string) string {
	parts := strings.Split(value, "/")
	parts[2] = "99999999999"
	return strings.Join(parts, "/")
}

func read(r *http.Response) string {
	var b strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := r.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}
