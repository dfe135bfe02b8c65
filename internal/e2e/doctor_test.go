package e2e

import (
	"strings"
	"testing"
)

func TestRedisThatLosesWorkIsRefusedUnlessThatIsAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rdb := w.redis.Client()
	for _, kv := range [][2]string{{"appendonly", "no"}, {"maxmemory", "200mb"}, {"maxmemory-policy", "allkeys-lru"}} {
		if err := rdb.ConfigSet(t.Context(), kv[0], kv[1]).Err(); err != nil {
			t.Fatal(err)
		}
	}
	a := w.want(1, "serve", "--listen", w.freeAddr())
	if !strings.Contains(a.errout, "allkeys-lru") || !strings.Contains(a.errout, "--accept-eviction") {
		t.Errorf("it says %s", a.errout)
	}
	var found []struct{ Severity, Rule, What, Fix string }
	w.decode(w.want(4, "doctor", "--json").out, &found)
	if len(found) == 0 || found[0].Rule != "eviction" || found[0].Severity != "severe" {
		t.Errorf("doctor finds %+v", found)
	}
	w.has("doctor", w.want(4, "doctor").out, "severe: ", "maxmemory-policy noeviction", "persistence")
	_, url := w.serve("serve", "--accept-eviction")
	if log := w.read("serve.log"); !strings.Contains(log, "allkeys-lru") || !strings.Contains(log, "keeps nothing on disk") {
		t.Errorf("nobody tells at the start what is odd:\n%s", log)
	}
	// Ready is who can write.
	if err := rdb.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err(); err != nil {
		t.Fatal(err)
	}
	if err := rdb.ConfigSet(t.Context(), "maxmemory", "1mb").Err(); err != nil {
		t.Fatal(err)
	}
	w.eventually(soon, "serve is not ready", func() bool {
		code, body := w.get(url + "/readyz")
		return code == 503 && strings.Contains(body, "out of memory")
	})
}
