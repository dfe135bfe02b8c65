package e2e

import (
	"os"
	"strings"
	"testing"
)

// A redis.url that others may write is not followed: exit 2, and a sentence that
// says what to do. It is no matter where another Redis is named, or none is asked.
func TestAnAddressThatOthersMayWriteIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	named := w.env
	w.write(".prpflow/redis.url", "redis://"+w.redis.Addr)
	w.env = nil
	for _, kv := range named {
		if !strings.HasPrefix(kv, "PRPFLOW_REDIS=") {
			w.env = append(w.env, kv)
		}
	}
	w.want(0, "list")
	if err := os.Chmod(w.path(".prpflow/redis.url"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, verb := range [][]string{{"list"}, {"send", "dev-1", "hello"}, {"config"}, {"inbox", "dev-1"}} {
		a := w.want(2, verb...)
		w.sentence(a)
		w.has(verb[0], a.errout, "redis.url", "--redis")
	}
	w.want(0, "list", "--redis", "redis://"+w.redis.Addr)
	w.env = named
	w.want(0, "list")
}
