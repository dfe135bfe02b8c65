package e2e

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
)

// A slow Redis slows, and stops nothing: every answer takes 10 ms, a thousand
// tasks are lost, and a process that lives is not taken for dead.
func TestASlowRedisStopsNoDuty(t *testing.T) {
	server := redistest.Server(t, "--appendonly", "no", "--save", "")
	wire := redistest.NewWire(t, server.Addr)
	rdb := redis.NewClient(&redis.Options{Addr: wire.Addr, PoolSize: 64})
	t.Cleanup(func() { _ = rdb.Close() })
	fast := newBureau(t, server, "h:1:fast")
	fast.populate(1000)
	fast.lives("elsewhere:1:busy", busy(5)...)
	slow := openBureau(t, rdb, "h:1:slow", nil)
	slow.lives("elsewhere:3:slow", tasks.Agent{Name: "slow", Role: "validator", Concurrency: 1})
	slow.watch("h:1:slow")
	wire.Slow(10 * time.Millisecond)
	time.Sleep(2 * time.Second) // the watch has seen everybody
	fast.troubles("slow", 20*time.Second, 1000)
	processes, now, err := fast.registry.Processes(t.Context())
	ok(t, err)
	alive := map[string]bool{}
	for _, p := range processes {
		alive[p.Incarnation] = p.Alive(now)
	}
	for _, incarnation := range []string{"elsewhere:1:busy", "elsewhere:3:slow"} {
		if !alive[incarnation] {
			t.Errorf("%s lives, and was taken for dead", incarnation)
		}
	}
}
