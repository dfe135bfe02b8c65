package redisstore

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/storetest"
)

// on opens stores on a client, closed at the end of the test.
func on(rdb redis.UniversalClient) func(t *testing.T) storetest.Open {
	return func(t *testing.T) storetest.Open {
		return func(worker string) workflow.Store { return open(t, rdb, Config{Worker: worker}) }
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

func TestStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) { storetest.Run(t, on(rdb)) })
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
	return func(t *testing.T) storetest.Open { return on(client(t))(t) }
}
