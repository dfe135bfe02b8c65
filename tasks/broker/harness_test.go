package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
)

func TestMain(m *testing.M) {
	redis.SetLogger(silent{})
	goleak.VerifyTestMain(redistest.Tests{M: m}, goleak.IgnoreCurrent())
}

// silent keeps the lines about a Redis that a test has killed out of the output.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// patience is how long a test waits for an event. It proves nothing by itself,
// except that nothing here waits for a BLMOVE of 30 seconds to end.
const patience = 15 * time.Second

// each runs a test on every backend. q begins the names of the test's queues.
func each(t *testing.T, test func(t *testing.T, rdb redis.UniversalClient, q string)) {
	t.Helper()
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) { test(t, rdb, "agent:"+redistest.Name("q")) })
}

// nowhere is a client of a Redis that is not there.
func nowhere(t *testing.T) redis.UniversalClient {
	t.Helper()
	// Few dials: after many in vain the client goes on dialling by itself for a while.
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1, PoolSize: 100})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// keysOf finds keys on whatever node they are.
func keysOf(t *testing.T, rdb redis.UniversalClient, pattern string) (keys []string) {
	t.Helper()
	add := func(ctx context.Context, node redis.Cmdable) error {
		found, err := node.Keys(ctx, pattern).Result()
		keys = append(keys, found...)
		return err
	}
	if c, ok := rdb.(*redis.ClusterClient); ok {
		var mu sync.Mutex // the nodes are asked at once
		must(t, c.ForEachMaster(t.Context(), func(ctx context.Context, node *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			return add(ctx, node)
		}))
		return keys
	}
	must(t, add(t.Context(), rdb))
	return keys
}

func newBroker(t *testing.T, rdb redis.UniversalClient) *Broker {
	t.Helper()
	b, err := New(Config{Redis: rdb})
	must(t, err)
	return b
}

// serve starts a server that is shut down with the test.
func serve(t *testing.T, b *Broker, cfg ServeConfig) *Server {
	t.Helper()
	s, err := b.Serve(cfg)
	must(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = s.Shutdown(ctx) // tests of Shutdown have looked at its answer
	})
	return s
}

// collect is a handler that sends the ids of its jobs.
func collect(seen chan<- string) func(context.Context, tasks.Order) error {
	return func(_ context.Context, o tasks.Order) error {
		seen <- o.Job
		return nil
	}
}

// always is a handler that answers err.
func always(err error) func(context.Context, tasks.Order) error {
	return func(context.Context, tasks.Order) error { return err }
}

func job(queue string, n int) tasks.Job {
	prp := fmt.Sprintf("%s-%d", queue, n) // Asynq's cancel button knows no queues
	return tasks.Job{ID: tasks.NewJobID(prp, 1, "abc"), PRP: prp, Fence: 1, Type: "prp.develop", Role: "developer", Queue: queue}
}

func enqueue(t *testing.T, b *Broker, queue string, numbers ...int) (ids []string) {
	t.Helper()
	for _, n := range numbers {
		must(t, b.Enqueue(t.Context(), job(queue, n)))
		ids = append(ids, job(queue, n).ID)
	}
	return ids
}

// inspect gives Asynq's own view.
func inspect(rdb redis.UniversalClient) *asynq.Inspector {
	return asynq.NewInspectorFromRedisClient(rdb)
}

func wantState(t *testing.T, b *Broker, queue, id string, want TaskState) {
	t.Helper()
	eventually(t, fmt.Sprintf("%s is %s", id, want), func() bool {
		got, err := b.States(t.Context(), []tasks.JobRef{{Job: id, Queue: queue}})
		must(t, err)
		return got[0] == want
	})
}

func receive[T any](t *testing.T, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return v
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("error is %v, want %v", err, target)
	}
}

// blocked waits until every waiter of a server is inside its wait.
func blocked(t *testing.T, s *Server) {
	t.Helper()
	eventually(t, "all queues are waited for", func() bool {
		for _, q := range s.waker.waiters {
			if !q.waiting() {
				return false
			}
		}
		return true
	})
}
