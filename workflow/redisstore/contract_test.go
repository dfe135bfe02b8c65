package redisstore

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/storetest"
)

// patient is a lease that no machine is slow enough to lose: on a server that
// tests share, one of them reaps what another has not renewed in time.
const patient = time.Hour

// on opens stores on a client, closed at the end of the test.
func on(rdb redis.UniversalClient, lease time.Duration) func(t *testing.T) storetest.Open {
	return func(t *testing.T) storetest.Open {
		return func(worker string) workflow.Store { return open(t, rdb, Config{Worker: worker, Lease: lease}) }
	}
}

func open(t *testing.T, rdb redis.UniversalClient, cfg Config) *Store {
	t.Helper()
	s, err := New(rdb, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// It runs before the tests that run side by side: those take what they find in
// the outbox of the shared servers.
// Of the shared servers this test alone receives: whoever else did would take
// what it waits for.
func TestStoreKeepsTheContract(t *testing.T) { //nolint:paralleltest // see above
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) { storetest.Run(t, on(rdb, patient)) })
}

// A server of its own: there is one sweeper and one identity.
func TestStoreKeepsTheContractAlone(t *testing.T) {
	t.Parallel()
	t.Run("miniredis", func(t *testing.T) { storetest.RunAlone(t, fresh(redistest.Mini)) })
	t.Run("redis", func(t *testing.T) {
		storetest.RunAlone(t, fresh(func(t *testing.T) redis.UniversalClient { return redistest.Server(t).Client() }))
	})
}

func fresh(client func(t *testing.T) redis.UniversalClient) func(t *testing.T) storetest.Open {
	return func(t *testing.T) storetest.Open { return on(client(t), patient)(t) }
}

// A miniredis has a clock that a test can move. What waits by itself, such as
// Receive, still goes by ours.
func TestStoreKeepsTheContractOfTime(t *testing.T) {
	t.Parallel()
	storetest.RunWithClock(t, func(t *testing.T) (storetest.Open, func(time.Duration)) {
		rdb, advance := clocked(t)
		return on(rdb, 0)(t), advance
	})
}

func clocked(t *testing.T) (rdb redis.UniversalClient, advance func(by time.Duration)) {
	t.Helper()
	mini := miniredis.RunT(t)
	now := time.Now().Truncate(time.Second).Add(123456 * time.Microsecond)
	mini.SetTime(now)
	rdb = redis.NewClient(&redis.Options{Addr: mini.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb, func(by time.Duration) {
		now = now.Add(by)
		mini.SetTime(now)
		if by > 0 {
			mini.FastForward(by)
		}
	}
}
