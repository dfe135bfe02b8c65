package redistest

import (
	"context"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Instance is a redis-server of one test, with append-only persistence, which the
// test may kill and start again on the same address with the same data.
type Instance struct {
	// Addr is its host:port; it never changes.
	Addr string

	t    *testing.T
	dir  string
	args []string

	mu   sync.Mutex
	proc *process // nil while it is down
}

// Server starts an instance. It is stopped and its data is removed at the end of
// the test. What a client was told is written survives Kill: with the default,
// everysec, Redis hands each write to the kernel before it answers, and only the
// fsync waits. args are further flags of redis-server.
func Server(t *testing.T, args ...string) *Instance {
	t.Helper()
	require(t, "redis")
	args = append([]string{"--appendonly", "yes"}, args...)
	proc, dir, err := launchAnywhere(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	i := &Instance{Addr: proc.addr, t: t, dir: dir, args: args, proc: proc}
	t.Cleanup(func() {
		i.Kill()
		_ = os.RemoveAll(dir)
	})
	return i
}

// Client is a new client of the instance, closed at the end of the test.
func (i *Instance) Client() redis.UniversalClient {
	return own(i.t, redis.NewClient(&redis.Options{Addr: i.Addr}), Features{Name: "redis", FairBlocking: true, ExactTTL: true})
}

// Kill ends the server like a crash. It does nothing while it is down.
func (i *Instance) Kill() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.proc != nil {
		i.proc.kill()
		i.proc = nil
	}
}

// Stop ends the server in order: it writes down what it has.
func (i *Instance) Stop() {
	i.t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.proc == nil {
		return
	}
	if err := i.proc.cmd.Process.Signal(os.Interrupt); err != nil {
		i.t.Errorf("redistest: stop the redis-server on %s: %v", i.Addr, err)
	}
	<-i.proc.done
	i.proc = nil
}

// Restart starts the server again, killing it first where it still runs, and
// returns once it answers.
func (i *Instance) Restart() {
	i.t.Helper()
	i.Kill()
	i.mu.Lock()
	defer i.mu.Unlock()
	_, port, err := net.SplitHostPort(i.Addr)
	if err != nil {
		i.t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		i.t.Fatal(err)
	}
	if i.proc, err = launch(context.WithoutCancel(i.t.Context()), i.dir, number, i.args...); err != nil {
		i.t.Fatal(err)
	}
}
