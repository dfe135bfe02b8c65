// Package office is what tests of the engine and the sweep work in: a whole
// prpflow in memory, with a clock that only the test moves. Tests play the
// agents.
package office

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/memstore"
	"github.com/prpflow/prpflow/workflow/relay"
	"github.com/prpflow/prpflow/workflow/sweep"
)

// Home is the process that the office's own agents live in.
const Home = "h:1:x"

// Office is one world.
type Office struct {
	*testing.T
	Disk    *memstore.Disk
	Store   workflow.Store
	Engine  *engine.Engine
	Sweeper *sweep.Sweeper
	Broker  *Broker
	Crowd   *Crowd
	Now     time.Time
	Inbox   []string // messages to the orchestrator, as they were sent

	n      int
	relay  *relay.Relay
	duties []due
}

type due struct {
	sweep.Duty
	at time.Time
}

// Options of an office.
type Options struct {
	Lifecycle string                              // "" is the default one
	Store     func(workflow.Store) workflow.Store // wraps the store
	Agents    []tasks.Agent                       // nil is one of each role
}

// Usual is one agent of each role.
func Usual() []tasks.Agent {
	return []tasks.Agent{
		{Name: "dev-1", Role: "developer", Concurrency: 1}, {Name: "val", Role: "validator", Concurrency: 1},
		{Name: "int", Role: "integrator", Concurrency: 1},
	}
}

// New opens an office.
func New(t *testing.T, opt Options) *Office {
	t.Helper()
	o := &Office{T: t, Now: time.Unix(1_700_000_000, 0).UTC()}
	o.Disk = memstore.NewDisk(func() time.Time { return o.Now })
	o.Store = o.Disk.Store("")
	if opt.Store != nil {
		o.Store = opt.Store(o.Store)
	}
	if opt.Agents == nil {
		opt.Agents = Usual()
	}
	o.Broker = &Broker{o: o, Paused: map[string]bool{}}
	o.Crowd = &Crowd{o: o}
	o.Crowd.Join(Home, opt.Agents...)
	var active *fsm.Lifecycle
	var err error
	if opt.Lifecycle != "" {
		active, err = fsm.Parse("test.yaml", []byte(opt.Lifecycle))
		o.Must(err)
	}
	clock := func() time.Time { return o.Now }
	o.Engine, err = engine.New(engine.Config{
		Store: o.Store, Broker: o.Broker, Registry: o.Crowd, Active: active, Clock: clock, Parallel: 1,
		Nonce: func() string { o.n++; return fmt.Sprintf("n%d", o.n) },
	})
	o.Must(err)
	o.Sweeper, err = sweep.New(sweep.Config{Engine: o.Engine, Store: o.Store, Broker: o.Broker, Registry: o.Crowd, Self: Home, Clock: clock})
	o.Must(err)
	o.relay, err = relay.New(relay.Config{Outbox: o.Disk.Store("relay"), Engine: o.Engine, Broker: o.Broker, Inbox: inbox{o}})
	o.Must(err)
	for _, d := range o.Sweeper.Duties() {
		o.duties = append(o.duties, due{d, o.Now})
	}
	return o
}

type inbox struct{ o *Office }

func (i inbox) Put(_ context.Context, _, _, _, text, _ string) error {
	i.o.Inbox = append(i.o.Inbox, text)
	return nil
}

// Must fails the test for an error.
func (o *Office) Must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// Text is a document that is fit; %s are its id and priority.
const Text = "# %s - A title\n**Priority**: %s\n\n## Success Criteria\n- [ ] it ends\n"

// Submit hands a PRP in, and sends what follows.
func (o *Office) Submit(id string, sub engine.Submission) workflow.Record {
	o.Helper()
	done := o.Submits(id, sub)
	o.Send()
	return o.Rec(done.ID)
}

// Submits hands a PRP in and sends nothing.
func (o *Office) Submits(id string, sub engine.Submission) engine.Submitted {
	o.Helper()
	sub.ID, sub.Source, sub.Actor = id, id+".md", "ann"
	if sub.Text == nil {
		sub.Text = fmt.Appendf(nil, Text, id, "P1")
	}
	done, err := o.Engine.Submit(o.Context(), []engine.Submission{sub})
	o.Must(err)
	return done[0]
}

// Send carries out what is in the outbox, until it is empty.
func (o *Office) Send() {
	o.Helper()
	for {
		took, err := o.relay.TakeOne(o.Context(), 0)
		o.Must(err)
		if !took {
			return
		}
	}
}

// Entries takes what is in the outbox, and sends nothing of it.
func (o *Office) Entries() []workflow.OutboxEntry {
	o.Helper()
	hand := o.Disk.Store("hand")
	var all []workflow.OutboxEntry
	for {
		e, ok, err := hand.Receive(o.Context(), 0)
		o.Must(err)
		if !ok {
			return all
		}
		o.Must(hand.Ack(o.Context(), e))
		all = append(all, e)
	}
}

// Rec is the record of a PRP.
func (o *Office) Rec(id string) workflow.Record {
	o.Helper()
	r, _, err := o.Store.Load(o.Context(), id)
	o.Must(err)
	return r
}

// Why is what a PRP waits for.
func (o *Office) Why(id string) string {
	o.Helper()
	v, err := o.Engine.Show(o.Context(), id)
	o.Must(err)
	return v.Why
}

// Is fails unless the PRP is in the state.
func (o *Office) Is(id, state string) workflow.Record {
	o.Helper()
	r := o.Rec(id)
	if r.State != state {
		o.Fatalf("%s is in %s, want %s", id, r.State, state)
	}
	return r
}

// History is the history of a PRP, Last the last line of it.
func (o *Office) History(id string) []workflow.Entry {
	o.Helper()
	h, err := o.Engine.History(o.Context(), id)
	o.Must(err)
	return h
}

// Last is the last line of a PRP's history.
func (o *Office) Last(id string) workflow.Entry {
	o.Helper()
	h := o.History(id)
	return h[len(h)-1]
}

// Trigger fires an event as a person, and sends what follows.
func (o *Office) Trigger(id, event, reason string) error {
	_, err := o.Engine.Trigger(o.Context(), workflow.Trigger{PRP: id, Event: event, Actor: "ann", Reason: reason})
	o.Send()
	return err
}

// Answer answers a question.
func (o *Office) Answer(id, text string) {
	o.Helper()
	_, err := o.Engine.Trigger(o.Context(), workflow.Trigger{PRP: id, Event: "answer", Actor: "ann", Answer: text})
	o.Must(err)
	o.Send()
}
