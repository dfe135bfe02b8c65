package e2e

import (
	"io"
	"net"
	"net/http"
)

// serve starts the engine and returns once it is ready; url is its address.
func (w *world) serve(name string, args ...string) (p *process, url string) {
	w.t.Helper()
	addr := w.freeAddr()
	p = w.start(name, append([]string{"serve", "--listen", addr}, args...)...)
	url = "http://" + addr
	w.ready(p, url)
	return p, url
}

// ready waits until /readyz says 200.
func (w *world) ready(p *process, url string) {
	w.t.Helper()
	w.eventually(soon, "serve is ready", func() bool {
		if !p.running() {
			w.t.Fatalf("serve has ended by itself\n%s", w.logs())
		}
		code, _ := w.get(url + "/readyz")
		return code == http.StatusOK
	})
}

// get fetches a page; 0 where nobody answers.
func (w *world) get(url string) (code int, body string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, ""
	}
	return res.StatusCode, string(b)
}

// freeAddr is an address that nobody listens on. Somebody may take it before
// the program does; the test then says that serve has ended by itself.
func (w *world) freeAddr() string {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
