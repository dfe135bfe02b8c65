package office

import (
	"fmt"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// All is evidence that every edge of the default lifecycle accepts, Good a result
// with it.
var (
	All  = map[string]any{"tests_passed": true, "lint_clean": true, "coverage_pct": 91, "approved": true, "merged": true}
	Good = tasks.Result{Outcome: tasks.Done, Evidence: All}
)

// Run is a run of the PRP's job that nobody has claimed yet.
func (o *Office) Run(id, agent, incarnation string) tasks.Run {
	o.Helper()
	r := o.Rec(id)
	job := r.Job()
	if job == nil {
		o.Fatalf("%s has no job in %s: %s", id, r.State, o.Why(id))
	}
	o.n++
	return tasks.Run{
		ID: fmt.Sprintf("run-%d", o.n), PRP: id, Job: job.ID, Fence: r.Fence, Type: job.Type, Agent: agent, Incarnation: incarnation, Started: o.Now,
	}
}

// Claim takes the PRP's job as an agent of the office.
func (o *Office) Claim(id, agent string) tasks.Run {
	o.Helper()
	run, _ := o.Take(id, agent, Home)
	return run
}

// Take takes the PRP's job as an agent of a process. Its heartbeats show the run
// from then on.
func (o *Office) Take(id, agent, incarnation string) (tasks.Run, tasks.Assignment) {
	o.Helper()
	run := o.Run(id, agent, incarnation)
	o.Broker.take(run.Job)
	a, err := o.Engine.Claim(o.Context(), tasks.Claim{Run: run})
	o.Must(err)
	o.Send()
	o.Crowd.hand(run)
	return run, a
}

// Deliver hands in the result of a run, and does with its task what it is told.
func (o *Office) Deliver(run tasks.Run, r tasks.Result) tasks.Verdict {
	o.Helper()
	v, err := o.Engine.Deliver(o.Context(), tasks.Delivery{Run: run, Result: r})
	o.Must(err)
	o.Broker.end(run.Job, v)
	o.Crowd.drop(run)
	o.Send()
	return v
}

// To carries a PRP through states, each by a good result of the right agent.
func (o *Office) To(id string, states ...string) {
	o.Helper()
	agents := map[string]string{"prp.develop": "dev-1", "prp.validate": "val", "prp.integrate": "int"}
	for _, s := range states {
		r := o.Rec(id)
		if r.Job() == nil {
			o.Fatalf("%s has no job in %s: %s", id, r.State, o.Why(id))
		}
		o.Deliver(o.Claim(id, agents[r.Job().Type]), Good)
		o.Is(id, s)
	}
}

// Pass lets time go by: whoever lives beats, the sweep does its duties, and the
// outbox is sent.
func (o *Office) Pass(d time.Duration) {
	o.Helper()
	const step = 250 * time.Millisecond
	for end := o.Now.Add(d); o.Now.Before(end); {
		o.Now = o.Now.Add(min(step, end.Sub(o.Now)))
		o.Broker.tick()
		o.Crowd.beat()
		o.Sweep()
		o.Send()
	}
}

// Sweep does the duties that are due.
func (o *Office) Sweep() {
	o.Helper()
	for i := range o.duties {
		if d := &o.duties[i]; !o.Now.Before(d.at) {
			d.at = o.Now.Add(d.Every)
			if err := d.Do(o.Context()); err != nil {
				o.Logf("%s: %v", d.Name, err)
			}
		}
	}
}
