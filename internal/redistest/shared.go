package redistest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// shared are the servers that all tests of this binary use.
var shared fleet

// fleet starts each kind of server once, and stops them all.
type fleet struct {
	mu    sync.Mutex
	kinds map[string]*kind
	procs []*process
	dirs  []string
}

type kind struct {
	once  sync.Once
	addrs []string
	err   error
}

func (f *fleet) start(t testing.TB, name string, start func(context.Context, *fleet) ([]string, error)) []string {
	t.Helper()
	f.mu.Lock()
	if f.kinds == nil {
		f.kinds = map[string]*kind{}
	}
	k := f.kinds[name]
	if k == nil {
		k = &kind{}
		f.kinds[name] = k
	}
	f.mu.Unlock()
	// Not the test's context: the servers outlive the test that needs them first.
	k.once.Do(func() { k.addrs, k.err = start(context.WithoutCancel(t.Context()), f) })
	if k.err != nil {
		t.Fatal(k.err)
	}
	return k.addrs
}

func (f *fleet) launch(ctx context.Context, args ...string) (*process, error) {
	p, dir, err := launchAnywhere(ctx, args...)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.procs, f.dirs = append(f.procs, p), append(f.dirs, dir)
	return p, nil
}

// stop ends every server. The next test that needs one starts it anew.
func (f *fleet) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.procs {
		p.kill()
	}
	for _, dir := range f.dirs {
		_ = os.RemoveAll(dir)
	}
	f.kinds, f.procs, f.dirs = nil, nil, nil
}

func startSingle(ctx context.Context, f *fleet) ([]string, error) {
	p, err := f.launch(ctx, "--appendonly", "no")
	if err != nil {
		return nil, err
	}
	return []string{p.addr}, nil
}

const slots = 16384

// startCluster makes three masters by hand: redis-cli --cluster create waits
// longer than the nodes need. About two seconds of it are Redis' own, which has
// a new master wait before it takes writes.
func startCluster(ctx context.Context, f *fleet) ([]string, error) {
	var nodes []*process
	for range 3 {
		p, err := f.launch(ctx, "--appendonly", "no", "--cluster-enabled", "yes", "--cluster-node-timeout", "10000")
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, p)
	}
	for i, p := range nodes {
		if err := join(ctx, p, i, len(nodes), nodes[0].addr); err != nil {
			return nil, fmt.Errorf("redistest: join %s to the cluster: %w", p.addr, err)
		}
	}
	var addrs []string
	for _, p := range nodes {
		addrs = append(addrs, p.addr)
		err := p.await(ctx, "CLUSTER INFO", func(ctx context.Context, rdb *redis.Client) bool {
			info := rdb.ClusterInfo(ctx).Val()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3") &&
				strings.Contains(info, "cluster_slots_ok:16384")
		})
		if err != nil {
			return nil, err
		}
	}
	return addrs, nil
}

// join gives node i its share of the slots and introduces it to the first one.
func join(ctx context.Context, p *process, i, of int, first string) error {
	rdb := redis.NewClient(&redis.Options{Addr: p.addr})
	defer rdb.Close()
	if err := rdb.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err(); err != nil {
		return err
	}
	if err := rdb.ClusterAddSlotsRange(ctx, slots*i/of, slots*(i+1)/of-1).Err(); err != nil {
		return err
	}
	if i == 0 {
		return nil
	}
	host, port, _ := strings.Cut(first, ":")
	return rdb.ClusterMeet(ctx, host, port).Err()
}

func require(t testing.TB, what string) {
	t.Helper()
	Command(t, what, "redis-server")
}

// Command skips the test where a command is missing, or fails it where the
// environment asks for what needs it.
func Command(t testing.TB, what, command string) {
	t.Helper()
	if _, err := exec.LookPath(command); err == nil {
		return
	}
	missing := command + " is not in the path (Debian: apt-get install " + command + ")"
	if slices.Contains(strings.Split(os.Getenv("PRPFLOW_TEST_REQUIRE"), ","), what) {
		t.Fatalf("PRPFLOW_TEST_REQUIRE names %s, but %s", what, missing)
	}
	t.Skip(missing)
}
