package access

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Config of a Guard.
type Config struct {
	// Listen is the address that the server listens on, Hosts are further names that it
	// may be called by.
	Listen string
	Hosts  []string
	// Tokens are those that open it. None: it is open, and changes nothing unless Local.
	Tokens []Token
	// Local says that only this machine can reach it.
	Local bool
	// Open are the paths that need no token.
	Open []string
	// Clock is time.Now where it is nil.
	Clock func() time.Time
}

// Guard stands before every page and path of the server.
type Guard struct {
	cfg    Config
	hosts  hosts
	origin *http.CrossOriginProtection
}

// New makes a guard.
func New(cfg Config) *Guard {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	return &Guard{cfg: cfg, hosts: newHosts(cfg.Listen, cfg.Hosts), origin: http.NewCrossOriginProtection()}
}

// Wrap puts the guard before a handler.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers(w.Header(), r.URL.Path)
		switch {
		case !g.hosts.allows(r.Host):
			http.Error(w, "this server is not called so: name it in hosts", http.StatusMisdirectedRequest)
		case g.origin.Check(r) != nil:
			http.Error(w, "requests from other pages are refused", http.StatusForbidden)
		case r.URL.Path == LoginPath || r.URL.Path == logoutPath:
			g.door(w, r)
		case slices.Contains(g.cfg.Open, r.URL.Path):
			next.ServeHTTP(w, r)
		default:
			g.admit(w, r, next)
		}
	})
}

// admit lets through who may.
func (g *Guard) admit(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if len(g.cfg.Tokens) == 0 {
		if changes(r) && !g.cfg.Local {
			http.Error(w, "changing something needs a token here: set PRPFLOW_API_TOKENS or api.tokens_file", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
		return
	}
	token, ok := g.token(r)
	switch {
	case !ok:
		g.unknown(w, r)
	case !may(token, r):
		http.Error(w, "the role "+token.Role+" may not do this", http.StatusForbidden)
	default:
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, token)))
	}
}

// token is the one that a request shows: as bearer, else by the cookie of the login.
func (g *Guard) token(r *http.Request) (Token, bool) {
	if header := r.Header.Get("Authorization"); header != "" {
		kind, secret, _ := strings.Cut(header, " ")
		if !strings.EqualFold(kind, "bearer") {
			return Token{}, false
		}
		return find(g.cfg.Tokens, strings.TrimSpace(secret))
	}
	return g.session(r)
}

// apiPath begins the paths of the API, which says itself what agents and authors may.
const apiPath = "/api/"

// may says what each role may: viewers and authors look, operators also change;
// agents have the API, and nothing else is of use to them.
func may(t Token, r *http.Request) bool {
	api := strings.HasPrefix(r.URL.Path, apiPath)
	switch {
	case t.Role == Operator:
		return true
	case t.Agent():
		return api
	case t.Role == Author && api:
		return true
	}
	return !changes(r)
}

// changes tells requests that do more than look.
func changes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

type key struct{}

// Of gives the token that a request was let through with; ok is false where the server
// asks for none.
func Of(ctx context.Context) (t Token, ok bool) {
	t, ok = ctx.Value(key{}).(Token)
	return t, ok
}

// The policies of pages. asynqmon has inline scripts and styles.
const (
	pagePolicy    = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	monitorPolicy = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"font-src 'self' data:; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)

// headers tells browsers what a page may do.
func headers(h http.Header, path string) {
	policy := pagePolicy
	if strings.HasPrefix(path, "/asynqmon") {
		policy = monitorPolicy
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}
