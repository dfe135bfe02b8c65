package e2e

import (
	"strings"
	"testing"
)

// 203.0.113.1 is nobody's address; an empty host is every address of this host.
func TestServeDoesNotOpenItselfToTheWorld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, port, _ := strings.Cut(w.freeAddr(), ":")
	for _, addr := range []string{"203.0.113.1:" + port, ":" + port, "0.0.0.0:" + port} {
		w.sentence(w.want(2, "serve", "--listen", addr))
	}
}
