package access

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The login of people: they show their token once, and a cookie shows it from then on.
const (
	LoginPath  = "/login"
	logoutPath = "/logout"
	cookieName = "prpflow"
	sessionFor = 12 * time.Hour
	formBytes  = 4 << 10
)

var loginPage = template.Must(template.New("login").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>prpflow: log in</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:28rem;margin:15vh auto;padding:0 1rem}label,input,button{display:block;font:inherit}input{width:100%;padding:.4rem;margin:.3rem 0 1rem;box-sizing:border-box}button{padding:.4rem 1rem}.wrong{color:#a00}</style>
</head><body><h1>prpflow</h1>{{with .Wrong}}<p class="wrong" role="alert">{{.}}</p>{{end}}
<form method="post" action="/login"><input type="hidden" name="next" value="{{.Next}}"><label for="token">Token</label><input id="token" name="token" type="password" autocomplete="current-password" autofocus required><button>Log in</button></form>
</body></html>
`))

// door serves the login and the logout.
func (g *Guard) door(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == logoutPath && r.Method == http.MethodPost:
		http.SetCookie(w, g.cookie(r, "", -1))
		http.Redirect(w, r, LoginPath, http.StatusSeeOther)
	case r.URL.Path == logoutPath:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "log out with POST", http.StatusMethodNotAllowed)
	case len(g.cfg.Tokens) == 0:
		http.Redirect(w, r, "/", http.StatusSeeOther) // there is nothing to log in to
	case r.Method == http.MethodPost:
		g.logIn(w, r)
	default:
		ask(w, http.StatusOK, r.URL.Query().Get("next"), "")
	}
}

func (g *Guard) logIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, formBytes)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	token, ok := find(g.cfg.Tokens, strings.TrimSpace(r.PostForm.Get("token")))
	if !ok {
		ask(w, http.StatusUnauthorized, r.PostForm.Get("next"), "This token is not known.")
		return
	}
	http.SetCookie(w, g.cookie(r, g.sign(token, g.cfg.Clock().Add(sessionFor)), int(sessionFor.Seconds())))
	http.Redirect(w, r, ownPath(r.PostForm.Get("next")), http.StatusSeeOther)
}

func (g *Guard) cookie(r *http.Request, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	}
}

// unknown answers a request without a token: people who look get the login page.
func (g *Guard) unknown(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="prpflow"`)
	if !changes(r) && strings.Contains(r.Header.Get("Accept"), "text/html") {
		ask(w, http.StatusUnauthorized, r.URL.RequestURI(), "")
		return
	}
	http.Error(w, "a token is needed: Authorization: Bearer TOKEN, or log in at "+LoginPath, http.StatusUnauthorized)
}

func ask(w http.ResponseWriter, status int, next, wrong string) {
	var b bytes.Buffer
	if err := loginPage.Execute(&b, struct{ Next, Wrong string }{ownPath(next), wrong}); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// ownPath is where to go on, on this server only.
func ownPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsFunc(next, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return "/"
	}
	return next
}

// sign makes a session: who, until when, and a proof by the token's hash, which nobody
// else knows. It holds after a restart too, and ends when the token is removed.
func (g *Guard) sign(t Token, until time.Time) string {
	said := t.Role + "/" + t.Name + "/" + strconv.FormatInt(until.Unix(), 10)
	return said + "/" + proof(t, said)
}

func proof(t Token, said string) string {
	mac := hmac.New(sha256.New, t.hash[:])
	mac.Write([]byte("prpflow session " + said))
	return hex.EncodeToString(mac.Sum(nil))
}

// session is the token whose session the cookie of a request proves.
func (g *Guard) session(r *http.Request) (Token, bool) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return Token{}, false
	}
	parts := strings.Split(c.Value, "/")
	if len(parts) != 4 {
		return Token{}, false
	}
	until, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil || !g.cfg.Clock().Before(time.Unix(until, 0)) {
		return Token{}, false
	}
	said := strings.Join(parts[:3], "/")
	for _, t := range g.cfg.Tokens {
		if t.Role == parts[0] && t.Name == parts[1] && hmac.Equal([]byte(proof(t, said)), []byte(parts[3])) {
			return t, true
		}
	}
	return Token{}, false
}
