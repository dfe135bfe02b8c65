package workflow_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/memstore"
)

// office is an engine over the reference store, with one agent of each role and
// no broker: tests play the agents.
type office struct {
	*testing.T
	disk   *memstore.Disk
	store  *memstore.Store
	engine *workflow.Engine
	now    time.Time
	n      int
	peers  *staff
}

// staff is a registry of one process.
type staff struct {
	agents []tasks.Agent
	gone   bool
	at     *time.Time
	beats  int64
	runs   []tasks.Run
}

func (s *staff) Processes(context.Context) ([]tasks.Process, time.Time, error) {
	s.beats++
	if len(s.agents) == 0 {
		return nil, *s.at, nil
	}
	return []tasks.Process{{Incarnation: "h:1:x", Agents: s.agents, Seen: *s.at, Beats: s.beats, Dead: s.gone, Runs: s.runs}}, *s.at, nil
}

func (s *staff) Forget(context.Context, string) error { s.agents = nil; return nil }

func newOffice(t *testing.T, lifecycle string) *office {
	t.Helper()
	o := &office{T: t, now: time.Unix(1_700_000_000, 0).UTC()}
	o.disk = memstore.NewDisk(func() time.Time { return o.now })
	o.store = o.disk.Store("")
	o.peers = &staff{at: &o.now, agents: []tasks.Agent{
		{Name: "dev-1", Role: "developer", Concurrency: 1}, {Name: "val", Role: "validator", Concurrency: 1}, {Name: "int", Role: "integrator", Concurrency: 1},
	}}
	var active *fsm.Lifecycle
	if lifecycle != "" {
		var err error
		if active, err = fsm.Parse("test.yaml", []byte(lifecycle)); err != nil {
			t.Fatal(err)
		}
	}
	engine, err := workflow.New(workflow.Config{
		Store: o.store, Registry: o.peers, Active: active, Sweeper: "h:1:x", Broker: desk{},
		Nonce: func() string { o.n++; return fmt.Sprintf("n%d", o.n) }, Clock: func() time.Time { return o.now },
	})
	if err != nil {
		t.Fatal(err)
	}
	o.engine = engine
	return o
}

// desk is a broker that has nothing.
type desk struct{}

func (desk) Enqueue(context.Context, tasks.Job) error { return nil }
func (desk) State(context.Context, string, string) (tasks.TaskState, error) {
	return tasks.Pending, nil
}
func (desk) Remove(context.Context, string, string) error                         { return nil }
func (desk) List(context.Context, string, tasks.TaskState, int) ([]string, error) { return nil, nil }
func (desk) Waiting(context.Context, []string) (map[string]int64, error)          { return nil, nil }
func (desk) PausedOf(context.Context, []string) (map[string]bool, error) {
	return map[string]bool{"agent:dev-1:p0": true}, nil
}

const text = "# %s - A title\n**Priority**: %s\n\n## Success Criteria\n- [ ] it ends\n"

func (o *office) submit(id string, sub workflow.Submission) workflow.Record {
	o.Helper()
	sub.ID, sub.Source, sub.Actor = id, id+".md", "ann"
	if sub.Text == nil {
		sub.Text = []byte(fmt.Sprintf(text, id, "P1"))
	}
	done, err := o.engine.Submit(o.Context(), []workflow.Submission{sub})
	o.must(err)
	return done[0].Record
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func (o *office) rec(id string) workflow.Record {
	o.Helper()
	r, _, err := o.store.Load(o.Context(), id)
	o.must(err)
	return r
}

func (o *office) why(id string) string {
	o.Helper()
	v, err := o.engine.Show(o.Context(), id)
	o.must(err)
	return v.Why
}

// claim takes the PRP's job as an agent.
func (o *office) claim(id, agent string) tasks.Run {
	o.Helper()
	r := o.rec(id)
	if r.Job == nil {
		o.Fatalf("%s has no job in %s", id, r.State)
	}
	o.n++
	run := tasks.Run{ID: fmt.Sprintf("run-%d", o.n), PRP: id, Job: r.Job.ID, Fence: r.Fence, Type: r.Job.Type, Agent: agent, Incarnation: "h:1:x", Started: o.now}
	_, err := o.engine.Claim(o.Context(), tasks.Claim{Run: run})
	o.must(err)
	return run
}

func (o *office) deliver(run tasks.Run, r tasks.Result) tasks.Verdict {
	o.Helper()
	v, err := o.engine.Deliver(o.Context(), tasks.Delivery{Run: run, Result: r})
	o.must(err)
	return v
}

func (o *office) trigger(id, event, reason string) error {
	_, err := o.engine.Trigger(o.Context(), workflow.Trigger{PRP: id, Event: event, Actor: "ann", Reason: reason})
	return err
}

func (o *office) is(id, state string) workflow.Record {
	o.Helper()
	r := o.rec(id)
	if r.State != state {
		o.Fatalf("%s is in %s, want %s", id, r.State, state)
	}
	return r
}

var (
	all  = map[string]any{"tests_passed": true, "lint_clean": true, "coverage_pct": 91, "approved": true, "merged": true}
	good = tasks.Result{Outcome: tasks.Done, Evidence: all}
)

// to carries a PRP to a state.
func (o *office) to(id string, states ...string) {
	o.Helper()
	agents := map[string]string{"prp.develop": "dev-1", "prp.validate": "val", "prp.integrate": "int"}
	for _, s := range states {
		o.deliver(o.claim(id, agents[o.rec(id).Job.Type]), good)
		o.is(id, s)
	}
}
