package registry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/agents/registry"
	"github.com/prpflow/prpflow/internal/redistest"
)

func TestProbeLeavesOneKeyThatExpires(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		r, err := registry.New(rdb)
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range []string{"far:7:a", "near:8:b"} {
			if err := r.Probe(t.Context(), who); err != nil {
				t.Fatal(err)
			}
			if got := rdb.Get(t.Context(), "{reg}:probe").Val(); got != who {
				t.Errorf("the probe is that of %q", got)
			}
		}
		if ttl := rdb.PTTL(t.Context(), "{reg}:probe").Val(); ttl <= 0 || ttl > time.Minute {
			t.Errorf("it expires in %s", ttl)
		}
	})
}

func TestProbeFailsWhereRedisReadsAndDoesNotWrite(t *testing.T) {
	t.Parallel()
	rdb := redistest.Server(t).Client()
	r, err := registry.New(rdb)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		says   string
		refuse []any
		accept []any
	}{
		{"NOREPLICAS", []any{"CONFIG", "SET", "min-replicas-to-write", 1}, []any{"CONFIG", "SET", "min-replicas-to-write", 0}},
		{"OOM", []any{"CONFIG", "SET", "maxmemory", 1}, []any{"CONFIG", "SET", "maxmemory", 0}},
		{"READONLY", []any{"REPLICAOF", "127.0.0.1", 1}, []any{"REPLICAOF", "NO", "ONE"}},
	} {
		if err := r.Probe(t.Context(), "far:7:a"); err != nil {
			t.Fatalf("before %s: %v", c.says, err)
		}
		if err := rdb.Do(t.Context(), c.refuse...).Err(); err != nil {
			t.Fatal(err)
		}
		if err := r.Probe(t.Context(), "far:7:a"); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("want %s, got %v", c.says, err)
		}
		if _, _, err := r.Processes(t.Context()); err != nil {
			t.Errorf("%s: it does not read either: %v", c.says, err)
		}
		if err := rdb.Do(t.Context(), c.accept...).Err(); err != nil {
			t.Fatal(err)
		}
	}
}
