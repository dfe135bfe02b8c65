package dashboards

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/internal/access"
	"github.com/prpflow/prpflow/internal/redistest"
)

// asked is one request of the table: who asks, and how.
type asked struct {
	name   string
	change func(*http.Request)
}

func bearer(secret string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }
}

func both(a, b func(*http.Request)) func(*http.Request) {
	return func(r *http.Request) { a(r); b(r) }
}

func host(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

func from(origin string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Origin", origin) }
}

func site(fetch string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", fetch) }
}

var nobody = func(*http.Request) {}

// TestWhoMayDoWhat asks for every path of the server, as everybody, and wants the
// status that is written beside it.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	tokens, err := access.ParseTokens("viewer:v:view,author:a:auth,operator:o:oper,developer:dev-1:agent")
	if err != nil {
		t.Fatal(err)
	}
	servers := map[string]http.Handler{
		"loopback":            handler(t, &world{}, redistest.Mini(t), nil),
		"loopback, may write": handler(t, &world{}, redistest.Mini(t), func(c *Config) { c.AsynqmonWrite = true }),
		"tokens": handler(t, &world{}, redistest.Mini(t), func(c *Config) {
			c.Access, c.AsynqmonWrite = access.Config{Listen: "0.0.0.0:8080", Hosts: []string{"board.example"}, Tokens: tokens}, true
		}),
		"insecure": handler(t, &world{}, redistest.Mini(t), func(c *Config) {
			c.Access, c.AsynqmonWrite = access.Config{Listen: "10.1.2.3:8080"}, true
		}),
	}
	looks := []string{"GET /", "GET /metrics", "GET /asynqmon/", "GET /asynqmon/api/queues", "HEAD /"}
	open := []string{"GET /healthz", "GET /readyz"}
	writes := []string{"POST /asynqmon/api/queues/agent:x:pause", "DELETE /asynqmon/api/queues/agent:x"}
	evil := []asked{{"rebinding", host("evil.example")}, {"rebinding with a port", host("evil.example:8080")}, {"a look-alike", host("127.0.0.1.evil.example")}, {"no host", host("")}}
	type row struct {
		server string
		asked
		what []string
		want string // statuses, or "not" and those that it must not be
	}
	rows := []row{
		{"loopback", asked{"nobody", nobody}, append(looks, open...), "200"},
		{"loopback", asked{"localhost", host("localhost:8080")}, looks, "200"},
		{"loopback", asked{"IPv6", host("[::1]:8080")}, looks, "200"},
		{"loopback", asked{"nobody", nobody}, writes, "405 403 404"},
		{"loopback, may write", asked{"nobody", nobody}, writes, "not 401 403 421"},
		{"loopback, may write", asked{"a foreign page", from("http://evil.example")}, writes, "403"},
		{"loopback, may write", asked{"a sandboxed page", from("null")}, writes, "403"},
		{"loopback, may write", asked{"a foreign site", site("cross-site")}, writes, "403"},
		{"loopback, may write", asked{"a sister site", site("same-site")}, writes, "403"},
		{"loopback, may write", asked{"our page", both(from("http://127.0.0.1:8080"), site("same-origin"))}, writes, "not 401 403 421"},

		{"tokens", asked{"nobody", nobody}, append(looks, writes...), "401"},
		{"tokens", asked{"nobody", nobody}, open, "200"},
		{"tokens", asked{"a wrong token", bearer("views")}, append(looks, writes...), "401"},
		{"tokens", asked{"an empty token", bearer("")}, append(looks, writes...), "401"},
		{"tokens", asked{"basic", func(r *http.Request) { r.SetBasicAuth("o", "oper") }}, append(looks, writes...), "401"},
		{"tokens", asked{"a viewer", bearer("view")}, looks, "200"},
		{"tokens", asked{"an author", bearer("auth")}, looks, "200"},
		{"tokens", asked{"an operator", bearer("oper")}, looks, "200"},
		{"tokens", asked{"an operator at another name", both(bearer("oper"), host("board.example"))}, looks, "200"},
		{"tokens", asked{"an operator at an address", both(bearer("oper"), host("192.168.7.7:8080"))}, looks, "200"},
		{"tokens", asked{"an agent", bearer("agent")}, append(looks, writes...), "403"},
		{"tokens", asked{"a viewer", bearer("view")}, writes, "403"},
		{"tokens", asked{"an author", bearer("auth")}, writes, "403"},
		{"tokens", asked{"an operator", bearer("oper")}, writes, "not 401 403 421"},
		{"tokens", asked{"an operator by a foreign page", both(bearer("oper"), from("http://evil.example"))}, writes, "403"},
		{"tokens", asked{"nobody, unknown path", nobody}, []string{"GET /nothing", "GET /api/v1/prps", "POST /api/v1/prps", "GET //", "GET /healthz/", "GET /asynqmon"}, "401 307 301"},

		{"insecure", asked{"nobody", host("10.1.2.3:8080")}, looks, "200"},
		{"insecure", asked{"nobody", host("10.1.2.3:8080")}, writes, "403"},
		{"insecure", asked{"another address", host("10.1.2.4:8080")}, looks, "421"},
	}
	for server := range servers {
		for _, e := range evil {
			rows = append(rows, row{server, e, append(append([]string{}, looks...), append(writes, open...)...), "421"})
			rows = append(rows, row{server, asked{e.name + " with a token", both(bearer("oper"), e.change)}, looks, "421"})
		}
	}
	n := 0
	for _, row := range rows {
		for _, what := range row.what {
			method, path, _ := strings.Cut(what, " ")
			code, body, header := get(servers[row.server], path, both(row.change, func(r *http.Request) { r.Method = method }))
			if n++; !fits(row.want, code) {
				t.Errorf("%s: %s by %s answers %d, want %s: %.80s", row.server, what, row.name, code, row.want, body)
			}
			if header.Get("Content-Security-Policy") == "" || header.Get("Cache-Control") != "no-store" || header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %s by %s: the headers are %v", row.server, what, row.name, header)
			}
		}
	}
	t.Logf("%d requests", n)
}

// fits says whether a status is among those wanted.
func fits(want string, code int) bool {
	rest, not := strings.CutPrefix(want, "not ")
	for s := range strings.FieldsSeq(rest) {
		if s == strconv.Itoa(code) {
			return !not
		}
	}
	return not
}
