package registry_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/agents/internal/proc"
	"github.com/prpflow/prpflow/agents/registry"
	"github.com/prpflow/prpflow/internal/mortal"
	"github.com/prpflow/prpflow/tasks"
)

// bundle is a registry on a Redis of its own, whose clock stands still until
// it is moved.
type bundle struct {
	*registry.Registry
	t   *testing.T
	rdb *miniredis.Miniredis
	now time.Time
}

func setup(t *testing.T) *bundle {
	t.Parallel()
	m := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: m.Addr()})
	t.Cleanup(func() { rdb.Close() })
	r, err := registry.New(rdb)
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{r, t, m, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	m.SetTime(b.now)
	return b
}

func (b *bundle) pass(d time.Duration) {
	b.now = b.now.Add(d)
	b.rdb.SetTime(b.now)
}

// remote is a process of another machine: nothing can be proved of it.
func remote(incarnation string, names ...string) tasks.Process {
	p := tasks.Process{Incarnation: incarnation, Host: "far", PID: 7, GoneAfter: 6 * time.Second}
	for _, n := range names {
		p.Agents = append(p.Agents, tasks.Agent{Name: n, Role: "developer", Concurrency: 1})
	}
	return p
}

func (b *bundle) register(p tasks.Process) {
	b.t.Helper()
	if err := b.Register(b.t.Context(), p); err != nil {
		b.t.Fatal(err)
	}
}

func TestNameIsHeldByOneLiveProcess(t *testing.T) {
	b := setup(t)
	b.register(remote("far:7:a", "dev-1", "dev-2"))
	b.pass(5 * time.Second)
	err := b.Register(t.Context(), remote("near:8:b", "dev-2"))
	var taken *registry.NameTakenError
	if !errors.Is(err, registry.ErrNameTaken) || !errors.As(err, &taken) {
		t.Fatalf("want ErrNameTaken, got %v", err)
	}
	if taken.Name != "dev-2" || taken.Host != "far" || taken.PID != 7 {
		t.Errorf("the error tells %+v", taken)
	}
	if ps, _, _ := b.Processes(t.Context()); len(ps) != 1 {
		t.Errorf("a refused process is listed: %+v", ps)
	}
	b.register(remote("far:7:a", "dev-1", "dev-2")) // the holder itself, again
}

func TestNameOfSilentProcessChangesHands(t *testing.T) {
	b := setup(t)
	b.register(remote("far:7:a", "dev-1"))
	b.pass(6 * time.Second)
	b.register(remote("near:8:b", "dev-1"))
	if err := b.Beat(t.Context(), remote("far:7:a", "dev-1")); !errors.Is(err, registry.ErrNameTaken) {
		t.Errorf("the one that was silent must learn it, got %v", err)
	}
}

func TestNameOfProcessThatLeftIsFree(t *testing.T) {
	b := setup(t)
	b.register(remote("far:7:a", "dev-1"))
	for range 2 {
		if err := b.Leave(t.Context(), "far:7:a"); err != nil {
			t.Fatal(err)
		}
	}
	ps, _, err := b.Processes(t.Context())
	if err != nil || len(ps) != 1 || !ps[0].Left {
		t.Errorf("want one process that left, got %+v, %v", ps, err)
	}
	b.register(remote("near:8:b", "dev-1"))
}

func TestDeadProcessIsProvenAndReplacedAtOnce(t *testing.T) {
	b := setup(t)
	self, err := registry.Self("", "test")
	if err != nil || self.StartTime == "" {
		t.Skipf("this system proves nothing of processes: %v", err)
	}
	self.GoneAfter = 6 * time.Second
	dead := self
	child := exec.Command("true")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	dead.PID, dead.Incarnation = child.Process.Pid, "here:1:dead"
	dead.Agents = []tasks.Agent{{Name: "dev-1"}}
	restarted := self // same pid, another start: the number has become another's
	restarted.StartTime, restarted.Incarnation = "1", "here:1:restarted"
	restarted.Agents = []tasks.Agent{{Name: "dev-2"}}
	b.register(dead)
	b.register(restarted)
	self.Agents = []tasks.Agent{{Name: "dev-1"}, {Name: "dev-2"}}
	b.register(self)
	ps, _, err := b.Processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ps {
		if want := p.Incarnation != self.Incarnation; p.Dead != want {
			t.Errorf("%s: dead is %v, want %v", p.Incarnation, p.Dead, want)
		}
	}
}

func TestZombieIsProvenDead(t *testing.T) {
	b := setup(t)
	p, err := registry.Self("", "test")
	if err != nil || p.StartTime == "" {
		t.Skipf("this system proves nothing of processes: %v", err)
	}
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := mortal.Start(child); err != nil {
		t.Fatal(err)
	}
	now, err := proc.Read(child.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	p.PID, p.StartTime = now.PID, now.Start
	b.register(p)
	if ps, _, _ := b.Processes(t.Context()); ps[0].Dead {
		t.Error("a living process counts as dead")
	}
	in.Close() // it ends, and nobody waits for it yet
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if ps, _, _ := b.Processes(t.Context()); ps[0].Dead {
			_ = child.Wait()
			return
		}
	}
	t.Error("a zombie counts as alive")
}

func TestBeatsAreCountedAndSeenByRedisClock(t *testing.T) {
	b := setup(t)
	p := remote("far:7:a", "dev-1")
	p.Runs = []tasks.Run{{ID: "r1", PRP: "PRP-1", Job: "PRP-1:1:x", Fence: 1}}
	b.register(p)
	b.pass(2 * time.Second)
	if err := b.Beat(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Second)
	ps, now, err := b.Processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := ps[0]
	if got.Beats != 2 || now.Sub(got.Seen) != time.Second || !now.Equal(b.now) {
		t.Errorf("beats %d, seen %s ago, now %s", got.Beats, now.Sub(got.Seen), now)
	}
	if len(got.Runs) != 1 || got.Runs[0] != p.Runs[0] || got.Agents[0] != p.Agents[0] || got.GoneAfter != p.GoneAfter {
		t.Errorf("what was shown comes back changed: %+v", got)
	}
}

func TestAgentsOfForgottenProcessStayListedAsGone(t *testing.T) {
	b := setup(t)
	b.register(remote("far:7:a", "dev-1"))
	b.register(remote("near:8:b", "dev-0"))
	for range 2 {
		if err := b.Forget(t.Context(), known(t, b, "far:7:a")); err != nil {
			t.Fatal(err)
		}
	}
	agents, now, err := b.Agents(t.Context())
	if err != nil || len(agents) != 2 {
		t.Fatalf("agents %+v, %v", agents, err)
	}
	if a := agents[1]; a.Name != "dev-1" || a.Role != "developer" || a.Host != "far" || a.State(now) != "gone" {
		t.Errorf("the forgotten process' agent is %+v", a)
	}
	if s := agents[0].State(now); s != "idle" {
		t.Errorf("dev-0 is %s", s)
	}
	b.register(remote("other:9:c", "dev-1")) // the name is free
}

func TestStateOfAgent(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for want, a := range map[string]registry.Agent{
		"idle":     {},
		"busy":     {Agent: tasks.Agent{Running: 1}},
		"limited":  {Agent: tasks.Agent{Running: 1, Draining: true, Unwell: "no repository", LimitedUntil: now.Add(time.Second)}},
		"unwell":   {Agent: tasks.Agent{Running: 1, Draining: true, Unwell: "no repository"}},
		"draining": {Agent: tasks.Agent{Running: 1, Draining: true, LimitedUntil: now.Add(-time.Second)}},
		"gone":     {Gone: true, Agent: tasks.Agent{Running: 1}},
	} {
		if got := a.State(now); got != want {
			t.Errorf("state is %s, want %s", got, want)
		}
	}
}

func TestIncarnationHasThreeParts(t *testing.T) {
	t.Parallel()
	p, err := registry.Self("fe80::1", "v1")
	if err != nil || p.Host != "fe80--1" || p.PID != os.Getpid() || p.Version != "v1" {
		t.Errorf("self is %+v, %v", p, err)
	}
}

func TestUnreachableRedisIsAnError(t *testing.T) {
	b := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Beat(ctx, remote("far:7:a")); err == nil || errors.Is(err, registry.ErrNameTaken) {
		t.Errorf("want an error of the connection, got %v", err)
	}
}
