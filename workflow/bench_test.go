package workflow_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// bench is a broker that says what a test wants it to say.
type bench struct {
	state   tasks.TaskState
	lists   map[string][]string // queue/state -> jobs
	removed []string
}

func (b *bench) Enqueue(context.Context, tasks.Job) error { return nil }
func (b *bench) State(context.Context, string, string) (tasks.TaskState, error) {
	return b.state, nil
}

func (b *bench) Remove(_ context.Context, _, job string) error {
	b.removed = append(b.removed, job)
	return nil
}

func (b *bench) List(_ context.Context, queue string, in tasks.TaskState, _ int) ([]string, error) {
	return b.lists[queue+"/"+string(in)], nil
}
func (b *bench) Waiting(context.Context, []string) (map[string]int64, error) { return nil, nil }
func (b *bench) PausedOf(context.Context, []string) (map[string]bool, error) { return nil, nil }

// crowd is a registry of many processes.
type crowd struct {
	now       *time.Time
	processes []tasks.Process
	then      func() // what happens once they have been read
}

func (c *crowd) Processes(context.Context) ([]tasks.Process, time.Time, error) {
	read, now := slices.Clone(c.processes), *c.now
	if c.then != nil {
		c.then()
	}
	return read, now, nil
}

func (c *crowd) Forget(_ context.Context, incarnation string) error {
	c.processes = slices.DeleteFunc(c.processes, func(p tasks.Process) bool { return p.Incarnation == incarnation })
	return nil
}

// beat lets a process show itself; runs are those in hand.
func (c *crowd) beat(incarnation string, runs ...tasks.Run) {
	for i := range c.processes {
		if p := &c.processes[i]; p.Incarnation == incarnation {
			p.Beats++
			p.Seen, p.Runs = *c.now, runs
		}
	}
}

func (c *crowd) join(incarnation string, agents ...tasks.Agent) {
	c.processes = append(c.processes, tasks.Process{Incarnation: incarnation, Agents: slices.Clone(agents), Seen: *c.now, Beats: 1})
}

// newShop is an office with a bench, and with processes that a test moves: h:1:x
// has all the agents.
func newShop(t *testing.T) (*office, *bench, *crowd) {
	t.Helper()
	o := newOffice(t, "")
	b := &bench{state: tasks.Pending, lists: map[string][]string{}}
	c := &crowd{now: &o.now}
	c.join("h:1:x", o.peers.agents...)
	o.engine.Broker, o.engine.Registry = b, c
	return o, b, c
}

// sent empties the outbox, as a relay does.
func (o *office) sent() []workflow.OutboxEntry {
	o.Helper()
	relay := o.disk.Store("relay")
	var all []workflow.OutboxEntry
	for {
		e, ok, err := relay.Receive(o.Context(), 0)
		o.must(err)
		if !ok {
			return all
		}
		o.must(relay.Ack(o.Context(), e))
		all = append(all, e)
	}
}

// pass lets time go by and sweeps, everybody beating meanwhile, as often as it
// takes; runs are in everybody's hand.
func (o *office) pass(c *crowd, d time.Duration, runs ...tasks.Run) {
	o.Helper()
	for end := o.now.Add(d); o.now.Before(end); {
		o.now = o.now.Add(min(time.Second, end.Sub(o.now)))
		for _, p := range c.processes {
			c.beat(p.Incarnation, runs...)
		}
		o.must(o.engine.Sweep(o.Context()))
	}
}

// last is the last line of a PRP's history.
func (o *office) last(id string) workflow.Entry {
	o.Helper()
	h, err := o.engine.History(o.Context(), id)
	o.must(err)
	return h[len(h)-1]
}
