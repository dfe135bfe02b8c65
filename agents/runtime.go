package agents

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Config says what a Runtime is made of.
type Config struct {
	Engine   Engine        // required
	Registry Registry      // nil = nobody is told that the process lives
	Mail     Mail          // messages for the agents; nil = they have none
	Adapter  Adapter       // makes the agents with exec; nil = such agents are refused
	Specs    []Spec        // the agents
	Process  tasks.Process // who this process is, as registry.Self says; Incarnation is required
	StateDir string        // results are kept below it until they are delivered; required
	StoreID  string        // id of the store that they belong to; required
	Beat     time.Duration // between heartbeats; 0 = 2 s
	Drain    time.Duration // how long Drain waits for runs to finish; 0 = not at all
	LogEvery time.Duration // between two looks at a run's log; 0 = 2 s
	Log      *slog.Logger  // nil = silent
}

// Runtime runs the agents of a process.
type Runtime struct {
	cfg    Config
	agents map[string]*agent
	state  *state
	log    *slog.Logger

	mu   sync.Mutex
	runs map[string]*running // by job: one run of a job at a time
	wg   sync.WaitGroup      // of the runs

	draining chan struct{} // closed: nothing new is taken
	stopped  chan struct{} // closed: deliveries are not waited for any longer
	drained  chan struct{} // closed: Drain is over
	drain    sync.Once
	nudges   nudges

	word chan struct{} // one word to the registry at a time
	left bool          // the last of them, good-bye, was said

	leftovers  sync.Mutex      // one look at them at a time
	unreadable map[string]bool // those of them that were told of
}

// agent is an agent of the process.
type agent struct {
	spec    Spec
	handler Handler
	repo    string        // that of the spec, as everybody on the machine would name it
	slots   chan struct{} // one token per run

	health health

	mu    sync.Mutex
	until time.Time // limited until then
}

// NewRuntime makes the agents of the specs and locks the process' state folder.
func NewRuntime(cfg Config) (*Runtime, error) {
	if cfg.Engine == nil || cfg.Process.Incarnation == "" || cfg.StateDir == "" || cfg.StoreID == "" {
		return nil, errors.New("agents: the runtime needs an engine, an incarnation, a state folder and a store id")
	}
	if cfg.Beat <= 0 {
		cfg.Beat = 2 * time.Second
	}
	if cfg.LogEvery <= 0 {
		cfg.LogEvery = 2 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	r := &Runtime{
		cfg: cfg, log: cfg.Log, agents: map[string]*agent{}, runs: map[string]*running{},
		draining: make(chan struct{}), stopped: make(chan struct{}), drained: make(chan struct{}),
		nudges: newNudges(), word: make(chan struct{}, 1), unreadable: map[string]bool{},
	}
	for _, s := range cfg.Specs {
		if _, err := s.check(); err != nil {
			return nil, fmt.Errorf("agents: %w", err)
		}
		if r.agents[s.Name] != nil {
			return nil, fmt.Errorf("agents: agent %s is defined twice", s.Name)
		}
		h, err := r.handler(s)
		if err != nil {
			return nil, fmt.Errorf("agents: agent %s: %w", s.Name, err)
		}
		r.agents[s.Name] = &agent{spec: s, handler: h, repo: absolute(s.Repo.Path), slots: make(chan struct{}, s.concurrency())}
	}
	r.checkAll()
	var err error
	r.state, err = openState(cfg.StateDir, cfg.StoreID, cfg.Process.Incarnation)
	return r, err
}

// absolute gives a folder the one name that it has from everywhere: two agents
// that name it by different paths mean the same merge lease.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	if full, err := filepath.Abs(path); err == nil {
		path = full
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	return path
}

func (r *Runtime) handler(s Spec) (Handler, error) {
	switch {
	case s.Handler != nil:
		return s.Handler, nil
	case s.Builtin != "":
		return newBuiltin(s), nil
	case r.cfg.Adapter == nil:
		return nil, errors.New("this program runs no commands")
	}
	return r.cfg.Adapter.Handler(s)
}

// Specs lists the agents in the order of their names.
func (r *Runtime) Specs() []Spec {
	var specs []Spec
	for _, name := range slices.Sorted(maps.Keys(r.agents)) {
		specs = append(specs, r.agents[name].spec)
	}
	return specs
}

// errDraining tells the broker that the order must wait for somebody else.
var errDraining = errors.New("the process is ending and takes nothing new")

// earlyBy is how much before the end of a limit an order is asked for again:
// the broker brings it late by some seconds, the rest is waited for here. It is
// shorter than the sweep's patience with a task that is taken and not claimed.
const earlyBy = 2 * time.Second

// Handle gives the broker the handler of an agent's queues. It returns at the
// end of the run with what the broker is to do. When ctx ends before, the
// handler returns and the run goes on: it belongs to the runtime. Only the
// cause tasks.ErrCancelled stops it.
func (r *Runtime) Handle(name string) func(ctx context.Context, o tasks.Order) error {
	a := r.agents[name]
	if a == nil {
		return func(context.Context, tasks.Order) error {
			return tasks.RetryAfter(earlyBy, fmt.Errorf("agents: no agent %s in this process", name))
		}
	}
	return func(ctx context.Context, o tasks.Order) error {
		if run := r.running(o.Job); run != nil {
			return run.wait(ctx)
		}
		if err := r.admit(ctx, a, o.PRP); err != nil {
			return err
		}
		run, mine := r.open(a, o)
		switch {
		case run == nil:
			a.leave()
			return tasks.RetryAfter(time.Second, errDraining)
		case !mine:
			a.leave()
			return run.wait(ctx)
		}
		go r.carry(context.WithoutCancel(ctx), run)
		return run.wait(ctx)
	}
}

// admit waits until the agent has room for a run. The broker may hand out more
// than the agent runs at a time, after it lost a lease.
func (r *Runtime) admit(ctx context.Context, a *agent, prp string) error {
	for {
		select {
		case <-r.draining:
			return tasks.RetryAfter(time.Second, errDraining)
		default:
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		select {
		case a.slots <- struct{}{}:
		case <-r.draining:
			continue
		case <-ctx.Done():
			return ctx.Err()
		}
		wait := a.limited()
		if wait <= 0 {
			sick, why := a.health.enter(time.Now(), prp)
			if sick <= 0 {
				return nil
			}
			<-a.slots
			return tasks.RetryAfter(sick, fmt.Errorf("agent %s: %s", a.spec.Name, why))
		}
		<-a.slots
		if wait > earlyBy {
			return tasks.RetryAfter(wait-earlyBy, fmt.Errorf("agent %s is limited by its provider", a.spec.Name))
		}
		if err := r.sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func (r *Runtime) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.draining:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// leave undoes admit where no run came of it.
func (a *agent) leave() {
	a.health.leave()
	<-a.slots
}

// limited tells how long the agent is still refused by its provider.
func (a *agent) limited() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return time.Until(a.until)
}

// park keeps the agent from running anything for a while.
func (a *agent) park(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if until := time.Now().Add(d); until.After(a.until) {
		a.until = until
	}
}

// running gives the run that this process has of a job, nil for none.
func (r *Runtime) running(job string) *running {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.runs[job]
}

// open begins a run of the job, unless the process has one: then mine is
// false. It is nil once the process drains.
func (r *Runtime) open(a *agent, o tasks.Order) (run *running, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if run := r.runs[o.Job]; run != nil {
		return run, false
	}
	if isClosed(r.draining) {
		return nil, false
	}
	run = newRunning(a, tasks.Run{
		ID: newRunID(), PRP: o.PRP, Job: o.Job, Fence: o.Fence, Type: o.Type,
		Agent: a.spec.Name, Incarnation: r.cfg.Process.Incarnation, Started: time.Now().UTC(),
	})
	r.runs[o.Job] = run
	r.wg.Add(1)
	return run, true
}

// close ends a run: its slot is free, and who waits for it learns the verdict.
func (r *Runtime) close(run *running, err error) {
	r.mu.Lock()
	delete(r.runs, run.Job)
	r.mu.Unlock()
	run.agent.leave()
	run.end(err)
	r.wg.Done()
}

// inHand lists the runs of the process; claimed leaves out those whose claim
// is not answered yet.
func (r *Runtime) inHand(claimed bool) []tasks.Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	runs := []tasks.Run{}
	for _, run := range r.runs {
		if !claimed || run.claimed {
			runs = append(runs, run.Run)
		}
	}
	slices.SortFunc(runs, func(a, b tasks.Run) int { return a.Started.Compare(b.Started) })
	return runs
}
