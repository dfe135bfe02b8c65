package e2e

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
)

// Refused writes are blindness too: a Redis that answers reads and refuses writes
// for 14 s makes nobody look dead, and no run is stopped or done twice.
func TestRefusedWritesMakeNobodyLookDead(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(rdb redis.UniversalClient) (undo func() error){
		"out of memory": func(rdb redis.UniversalClient) func() error {
			ok(t, rdb.ConfigSet(t.Context(), "maxmemory", "1").Err())
			return func() error { return rdb.ConfigSet(t.Context(), "maxmemory", "0").Err() }
		},
		"too few replicas": func(rdb redis.UniversalClient) func() error {
			ok(t, rdb.ConfigSet(t.Context(), "min-replicas-to-write", "1").Err())
			return func() error { return rdb.ConfigSet(t.Context(), "min-replicas-to-write", "0").Err() }
		},
		"read-only after a failover": func(rdb redis.UniversalClient) func() error {
			ok(t, rdb.Do(t.Context(), "REPLICAOF", "127.0.0.1", "1").Err())
			return func() error { return rdb.Do(t.Context(), "REPLICAOF", "NO", "ONE").Err() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBureau(t, redistest.Server(t), "h:1:watch")
			agent := b.lives("elsewhere:1:lives", tasks.Agent{Name: "dev-1", Role: "developer", Concurrency: 2, Running: 1})
			b.watch("h:1:watch")
			b.submits("PRP-1")
			b.eventually("the outbox is sent", func() bool { return b.record("PRP-1").Stage.Work != nil })
			run := b.takes("PRP-1", "dev-1", "elsewhere:1:lives")
			agent.hold(run)
			before := b.record("PRP-1")
			time.Sleep(3 * time.Second) // its heartbeats have shown the run
			undo := refuse(b.rdb)
			if err := agent.beat(t.Context(), b); err == nil {
				t.Fatal("heartbeats are not refused: nothing is put to the test")
			}
			time.Sleep(14 * time.Second)
			ok(t, undo())
			time.Sleep(8 * time.Second) // whoever would be judged by its silence is judged by now
			rec := b.record("PRP-1")
			if !rec.Holds(run) || rec.Fence != before.Fence || rec.Stage.Lost != 0 {
				t.Errorf("the run was taken from a process that lives: held by %+v, lost %d", rec.Holder(), rec.Stage.Lost)
			}
			if _, err := b.engine.Deliver(t.Context(), tasks.Delivery{Run: run, Result: tasks.Result{Outcome: tasks.Done, Evidence: evidence}}); err != nil {
				t.Errorf("its result does not count: %v", err)
			}
		})
	}
}
