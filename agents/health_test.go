package agents_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
)

// crew is a registry with a peer, which keeps the last heartbeat.
type crew struct {
	mu   sync.Mutex
	mine tasks.Process
	peer tasks.Agent
}

func (c *crew) Register(_ context.Context, p tasks.Process) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mine = p
	return nil
}
func (c *crew) Beat(ctx context.Context, p tasks.Process) error { return c.Register(ctx, p) }
func (c *crew) Leave(context.Context, string) error             { return nil }
func (c *crew) Processes(context.Context) ([]tasks.Process, time.Time, error) {
	now := time.Now()
	return []tasks.Process{{Incarnation: "peer", Agents: []tasks.Agent{c.peer}, Seen: now}}, now, nil
}

func (c *crew) shown() tasks.Agent {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.mine.Agents) == 0 {
		return tasks.Agent{}
	}
	return c.mine.Agents[0]
}

// patient is an agent that says whether it can be started.
type patient struct {
	agents.HandlerFunc
	mu    sync.Mutex
	fault error
}

func (p *patient) Check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault
}

func (p *patient) heal() { p.mu.Lock(); defer p.mu.Unlock(); p.fault = nil }

// later is what the broker is told to do with a task: hand it out again then.
func later(t *testing.T, err error) time.Duration {
	t.Helper()
	var again *tasks.RetryAfterError
	if !errors.As(err, &again) {
		t.Fatalf("the broker is told %v", err)
	}
	return again.After
}

func TestAgentThatCannotBeStartedGetsNoWorkUntilItCan(t *testing.T) {
	t.Parallel()
	p := &patient{HandlerFunc: done, fault: errors.New("the command x cannot be started: no such file")}
	reg := &crew{}
	h := open(t, func(c *agents.Config) {
		c.Specs, c.Registry = []agents.Spec{{Name: "dev-1", Role: "developer", Handler: p}}, reg
	})
	go func() { _ = h.Run(t.Context()) }()
	if err := h.Register(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := reg.shown(); a.Unwell != p.fault.Error() || a.Probe.IsZero() {
		t.Errorf("before its first task it is shown as %+v", a)
	}
	if d := later(t, h.Handle("dev-1")(t.Context(), tasks.Order{PRP: "PRP-1", Job: "PRP-1:1:a"})); d <= 0 || len(h.engine.claims) != 0 {
		t.Errorf("it comes again in %s, after %d claims", d, len(h.engine.claims))
	}
	p.heal()
	for end := time.Now().Add(20 * time.Second); reg.shown().Unwell != ""; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nobody has looked whether it can be started")
		}
	}
	if err := h.Handle("dev-1")(t.Context(), tasks.Order{PRP: "PRP-1", Job: "PRP-1:1:a"}); err != nil || len(h.engine.delivered) != 1 {
		t.Errorf("got %v, delivered %d", err, len(h.engine.delivered))
	}
}

func TestRunThatCannotBeStartedIsHandedBackAndCostsNothing(t *testing.T) {
	t.Parallel()
	reg := &crew{}
	h := open(t, func(c *agents.Config) {
		with(func(context.Context, agents.Task) tasks.Result { return tasks.Result{Unwell: "no space\nleft"} })(c)
		c.Registry = reg
	})
	if err := h.Handle("dev-1")(t.Context(), tasks.Order{PRP: "PRP-1", Job: "PRP-1:1:a"}); !errors.Is(err, tasks.ErrStale) {
		t.Errorf("the broker is told %v", err)
	}
	if len(h.engine.back) != 1 || len(h.engine.delivered) != 0 {
		t.Errorf("handed back %d, delivered %d", len(h.engine.back), len(h.engine.delivered))
	}
	if a := reg.shown(); a.Unwell != "no space left" {
		t.Errorf("shown as %+v", a)
	}
	later(t, h.Handle("dev-1")(t.Context(), tasks.Order{PRP: "PRP-2", Job: "PRP-2:1:a"}))
}

func TestTwoRunsWithoutAWordMakeAnAgentUnwell(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		verdict tasks.Verdict
		back    int
	}{
		"where that is not enough": {tasks.Verdict{After: time.Second, Reason: "evidence missing"}, 1},
		"where it is":              {tasks.Verdict{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, with(func(context.Context, agents.Task) tasks.Result {
				return tasks.Result{Outcome: tasks.Done, Silent: true}
			}))
			h.engine.verdict = c.verdict
			for _, job := range []string{"PRP-1:1:a", "PRP-2:1:a"} {
				_ = h.Handle("dev-1")(t.Context(), tasks.Order{PRP: job[:5], Job: job})
			}
			if len(h.engine.back) != c.back || len(h.engine.delivered) != 2-c.back {
				t.Errorf("handed back %d, delivered %d", len(h.engine.back), len(h.engine.delivered))
			}
		})
	}
}

func TestAgentWhoseRunsOnlyFailIsSetAsideWhereItsPeersSucceed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		peer  tasks.Agent
		aside bool
	}{
		"a peer works":           {tasks.Agent{Name: "dev-2", Role: "developer", Finished: 3}, true},
		"a peer fails too":       {tasks.Agent{Name: "dev-2", Role: "developer", Finished: 3, Failing: 1}, false},
		"another role works":     {tasks.Agent{Name: "val", Role: "validator", Finished: 3}, false},
		"nothing is known of it": {tasks.Agent{Name: "dev-2", Role: "developer"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reg := &crew{peer: c.peer}
			h := open(t, func(cfg *agents.Config) {
				with(func(context.Context, agents.Task) tasks.Result {
					return tasks.Result{Outcome: tasks.Failed, Reasons: []string{"no"}}
				})(cfg)
				cfg.Registry = reg
			})
			if err := h.Register(t.Context()); err != nil {
				t.Fatal(err)
			}
			for end := time.Now().Add(30 * time.Second); len(h.engine.delivered) < 3; time.Sleep(50 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("it never ran three times")
				}
				job := tasks.NewJobID("PRP-1", int64(len(h.engine.delivered)), "x")
				_ = h.Handle("dev-1")(t.Context(), tasks.Order{PRP: "PRP-1", Job: job})
			}
			if got := reg.shown().Unwell != ""; got != c.aside {
				t.Errorf("set aside: %v, want %v", got, c.aside)
			}
		})
	}
}

func TestPRPThatMakesAgentsSilentDoesNotKeepTheTrialsFromOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := open(t, with(func(_ context.Context, task agents.Task) tasks.Result {
			if task.Job.PRP == "PRP-1" {
				return tasks.Result{Outcome: tasks.Done, Silent: true}
			}
			return tasks.Result{Outcome: tasks.Done}
		}))
		h.engine.verdict = tasks.Verdict{After: time.Second, Reason: "evidence missing"}
		go func() { _ = h.Run(t.Context()) }()
		give := func(prp, job string) error {
			return h.Handle("dev-1")(t.Context(), tasks.Order{PRP: prp, Job: job})
		}
		later(t, give("PRP-1", "PRP-1:1:a"))
		if err := give("PRP-1", "PRP-1:2:a"); !errors.Is(err, tasks.ErrStale) {
			t.Errorf("the second silent run: %v", err)
		}
		time.Sleep(11 * time.Second) // the trial begins
		later(t, give("PRP-1", "PRP-1:3:a"))
		h.engine.do(func() { h.engine.verdict = tasks.Verdict{} })
		if err := give("PRP-2", "PRP-2:1:a"); err != nil || len(h.engine.delivered) != 2 {
			t.Errorf("another PRP has the trial: %v, %d delivered", err, len(h.engine.delivered))
		}
	})
}

func TestManyRunsThatFailAtOnceAreOneFault(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reg, together := &crew{}, make(chan struct{})
		h := open(t, func(c *agents.Config) {
			with(func(context.Context, agents.Task) tasks.Result {
				<-together
				return tasks.Result{Unwell: "no space left"}
			})(c)
			c.Specs[0].Concurrency, c.Registry = 8, reg
		})
		for n := range int64(8) {
			go func() {
				_ = h.Handle("dev-1")(t.Context(), tasks.Order{PRP: "PRP-1", Job: tasks.NewJobID("PRP-1", n, "x")})
			}()
		}
		synctest.Wait()
		close(together)
		synctest.Wait()
		if in := time.Until(reg.shown().Probe); in > 2*time.Second {
			t.Errorf("after eight runs that failed at once it is looked at again in %s", in)
		}
	})
}
