package agents_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
)

func TestSecondProcessWaitsForTheNameThenGivesUp(t *testing.T) {
	t.Parallel()
	reg := &registry{taken: 2}
	h := open(t, func(c *agents.Config) { with(done)(c); c.Registry = reg })
	if err := h.Register(t.Context()); err != nil || reg.asked != 3 {
		t.Errorf("asked %d times: %v", reg.asked, err)
	}
	reg.taken = 1 << 30
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := h.Register(ctx); !errors.Is(err, agents.ErrNameTaken) {
		t.Errorf("got %v", err)
	}
	if err := h.Run(t.Context()); !errors.Is(err, agents.ErrNameTaken) {
		t.Errorf("a process that has lost its name beats on: %v", err)
	}
}

// registry refuses the name so many times.
type registry struct {
	alone
	taken, asked int
}

// alone is the part of a registry that shows no other process.
type alone struct{}

func (alone) Processes(context.Context) ([]tasks.Process, time.Time, error) {
	return nil, time.Time{}, nil
}

func (r *registry) Register(context.Context, tasks.Process) error {
	if r.asked++; r.asked <= r.taken {
		return agents.ErrNameTaken
	}
	return nil
}

func (r *registry) Beat(ctx context.Context, p tasks.Process) error { return r.Register(ctx, p) }
func (r *registry) Leave(context.Context, string) error             { return nil }

// shown is a registry that keeps the last heartbeat.
type shown struct {
	alone
	tasks.Process
}

func (s *shown) Register(_ context.Context, p tasks.Process) error { s.Process = p; return nil }
func (s *shown) Beat(ctx context.Context, p tasks.Process) error   { return s.Register(ctx, p) }
func (s *shown) Leave(context.Context, string) error               { return nil }

func TestRepositoryHasOneNameHoweverItIsWritten(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, err := range []error{os.Mkdir("service", 0o700), os.Mkdir("team", 0o700), os.Symlink("../service", "team/link")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	here := filepath.Join(dir, "service")
	for path, want := range map[string]string{
		"service": here, "./team/../service": here, "team/link": here, here: here,
		"gone": filepath.Join(dir, "gone"), "": "",
	} {
		reg := &shown{}
		h := open(t, func(c *agents.Config) { with(done)(c); c.Specs[0].Repo.Path, c.Registry = path, reg })
		if err := h.Register(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := reg.Agents[0].Repo; got != want {
			t.Errorf("%q is shown as %q, want %q", path, got, want)
		}
	}
}

// slow is a registry whose heartbeats take until they are let go.
type slow struct {
	alone
	beats chan struct{} // one for each that began
	let   chan struct{}
	mu    sync.Mutex
	said  []string
}

func (s *slow) say(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, what)
}

func (s *slow) Register(context.Context, tasks.Process) error { return nil }
func (s *slow) Leave(context.Context, string) error           { s.say("leave"); return nil }
func (s *slow) Beat(context.Context, tasks.Process) error {
	select {
	case s.beats <- struct{}{}:
	default:
	}
	<-s.let
	s.say("beat")
	return nil
}

func TestNoHeartbeatFollowsTheGoodBye(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reg := &slow{beats: make(chan struct{}, 1), let: make(chan struct{})}
		h := open(t, func(c *agents.Config) { with(done)(c); c.Registry = reg })
		ran := make(chan error, 1)
		go func() { ran <- h.Run(t.Context()) }()
		<-reg.beats // one is on its way
		drained := make(chan error, 1)
		go func() { drained <- h.Drain(t.Context()) }()
		synctest.Wait()
		close(reg.let)
		if err := <-drained; err != nil {
			t.Fatal(err)
		}
		if err := <-ran; err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(reg.said, []string{"beat", "leave"}) {
			t.Errorf("the registry heard %v", reg.said)
		}
	})
}
