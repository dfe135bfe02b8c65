package redisstore

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/workflow"
)

// bench is one test's store, whose PRPs nobody else has.
type bench struct {
	*testing.T
	*Store
	rdb redis.UniversalClient
}

// each runs a test on every backend, as a long-lived process. It must not
// receive: see TestStoreKeepsTheContract.
func each(t *testing.T, test func(b *bench)) {
	t.Helper()
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) { test(newBench(t, rdb)) })
}

// alone runs a test, as a long-lived process, on servers whose outbox nobody
// else receives from.
func alone(t *testing.T, test func(b *bench)) {
	t.Helper()
	t.Parallel()
	t.Run("miniredis", func(t *testing.T) { test(mini(t)) })
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		test(newBench(t, redistest.Server(t).Client()))
	})
}

// mini runs a test on a miniredis of its own.
func mini(t *testing.T) *bench {
	t.Helper()
	t.Parallel()
	return newBench(t, redistest.Mini(t))
}

func newBench(t *testing.T, rdb redis.UniversalClient) *bench {
	t.Helper()
	return &bench{T: t, rdb: rdb, Store: open(t, rdb, Config{Worker: "host:1:" + redistest.Name("w"), Lease: patient})}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// creation is a change that makes a PRP of its own, with entries to be sent.
func creation(entries ...string) workflow.Change {
	id := redistest.Name("PRP")
	c := workflow.Change{
		Token: redistest.Name("token"), Record: workflow.Record{Schema: workflow.SchemaVersion, ID: id, State: "new"},
		History: []workflow.Entry{{Event: "submitted", To: "new"}},
	}
	for _, e := range entries {
		c.Outbox = append(c.Outbox, workflow.OutboxEntry{ID: redistest.Name(e), Kind: workflow.SendLook, PRP: id})
	}
	return c
}

func move(rec workflow.Record) workflow.Change {
	c := workflow.Change{Token: redistest.Name("token"), SeenVersion: rec.Version, SeenState: rec.State, Record: rec.Clone()}
	c.History = []workflow.Entry{{Event: "moved", From: rec.State, To: rec.State}}
	return c
}

func (b *bench) apply(c workflow.Change) workflow.Record {
	b.Helper()
	rec, err := b.Apply(b.Context(), c)
	b.must(err)
	return rec
}

func (b *bench) key(key string, err error) string {
	b.Helper()
	b.must(err)
	return key
}

func (b *bench) mineIDs() []string {
	b.Helper()
	entries, err := b.Mine(b.Context())
	b.must(err)
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// receive takes entries, of whomever, until there is one of a PRP.
func (b *bench) receive(prp string) workflow.OutboxEntry {
	b.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		e, ok, err := b.Receive(b.Context(), time.Second)
		if err != nil && !errors.Is(err, workflow.ErrUnavailable) {
			b.Fatal(err)
		}
		if ok && e.PRP == prp {
			return e
		}
	}
	b.Fatalf("nothing of %s came", prp)
	return workflow.OutboxEntry{}
}

// around is a client whose commands pass through a test.
func (b *bench) around(hook func(ctx context.Context, cmd redis.Cmder, send redis.ProcessHook) error) {
	b.rdb.AddHook(hooked{hook})
}

type hooked struct {
	hook func(ctx context.Context, cmd redis.Cmder, send redis.ProcessHook) error
}

func (hooked) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h hooked) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { return h.hook(ctx, cmd, next) }
}

func (hooked) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
