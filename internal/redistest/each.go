package redistest

import (
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Features says in what a backend differs from a single real Redis.
type Features struct {
	// Name is miniredis, redis or cluster.
	Name string
	// FairBlocking: clients that block on one list are served in turn. miniredis
	// wakes them in random order.
	FairBlocking bool
	// OneSlot: keys of one script must be under one hash tag, or it is refused.
	OneSlot bool
	// ExactTTL: a key is gone the moment its time is up. miniredis follows in
	// steps of 20 ms.
	ExactTTL bool
}

var (
	featuresMu sync.Mutex
	features   = map[redis.UniversalClient]Features{}
)

// FeaturesOf describes the backend of a client that Each handed out.
func FeaturesOf(rdb redis.UniversalClient) Features {
	featuresMu.Lock()
	defer featuresMu.Unlock()
	return features[rdb]
}

// Each runs a test on every backend, as parallel subtests named after them. Each
// run has a client of its own, which is closed at its end.
func Each(t *testing.T, test func(t *testing.T, rdb redis.UniversalClient)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) { t.Parallel(); test(t, Mini(t)) })
	t.Run("redis", func(t *testing.T) { t.Parallel(); test(t, Redis(t)) })
	t.Run("cluster", func(t *testing.T) { t.Parallel(); test(t, Cluster(t)) })
}

// Mini is a client of a new miniredis, whose clock follows ours: by itself a
// miniredis lets no key expire.
func Mini(t *testing.T) redis.UniversalClient {
	t.Helper()
	mini := miniredis.RunT(t)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for last := time.Now(); ; {
			select {
			case now := <-tick.C:
				mini.FastForward(now.Sub(last))
				last = now
			case <-stop:
				return
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-stopped })
	rdb := redis.NewClient(&redis.Options{Addr: mini.Addr()})
	return own(t, rdb, Features{Name: "miniredis"})
}

// Redis is a client of the binary's redis-server.
func Redis(t testing.TB) redis.UniversalClient {
	t.Helper()
	require(t, "redis")
	addrs := shared.start(t, "redis", startSingle)
	return own(t, redis.NewClient(&redis.Options{Addr: addrs[0]}),
		Features{Name: "redis", FairBlocking: true, ExactTTL: true})
}

// Cluster is a client of the binary's cluster of three masters.
func Cluster(t *testing.T) redis.UniversalClient {
	t.Helper()
	require(t, "cluster")
	addrs := shared.start(t, "cluster", startCluster)
	return own(t, redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs}),
		Features{Name: "cluster", FairBlocking: true, ExactTTL: true, OneSlot: true})
}

// ClusterAddrs are the addresses of the binary's cluster, for a test that dials
// it by other means.
func ClusterAddrs(t *testing.T) []string {
	t.Helper()
	require(t, "cluster")
	return shared.start(t, "cluster", startCluster)
}

// own remembers what a client talks to, until the end of its test.
func own(t testing.TB, rdb redis.UniversalClient, f Features) redis.UniversalClient {
	t.Helper()
	featuresMu.Lock()
	features[rdb] = f
	featuresMu.Unlock()
	t.Cleanup(func() {
		featuresMu.Lock()
		delete(features, rdb)
		featuresMu.Unlock()
		_ = rdb.Close()
	})
	return rdb
}

// Name is a name that no other test has: what stands in for a flush.
func Name(prefix string) string { return prefix + "-" + strings.ToLower(rand.Text()[:12]) }
