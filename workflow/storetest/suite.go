package storetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// Open opens one and the same store as a process: worker names it, "" is one
// that lives shortly.
type Open func(worker string) workflow.Store

// Run holds a store to the contract. open is called once for each test; what it
// answers opens the store of that test, and is to be closed at its end. All may
// open one and the same store: the tests of the outbox, which take what they
// find, run one after the other.
func Run(t *testing.T, open func(t *testing.T) Open) {
	t.Helper()
	for _, p := range outboxPromises {
		t.Run(p.name, func(t *testing.T) { p.test(t, newWorld(t, open(t))) })
	}
	for _, p := range slices.Concat(applyPromises, listPromises, otherPromises) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.test(t, newWorld(t, open(t)))
		})
	}
}

type promise struct {
	name string
	test func(t *testing.T, w *world)
}

// world is a store and what a test does with it.
type world struct {
	t    *testing.T
	ctx  context.Context //nolint:containedctx // of the test
	open Open
	workflow.Store
	unique string
}

func newWorld(t *testing.T, open Open) *world {
	return &world{t: t, ctx: t.Context(), open: open, Store: open(""), unique: random()}
}

func random() string {
	var b [6]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// id is a name that no other test has.
func (w *world) id(name string) string { return name + "-" + w.unique }

// as opens the store as a long-lived process of that name.
func (w *world) as(name string) (workflow.Store, string) {
	worker := "host:1:" + w.id(name)
	return w.open(worker), worker
}

func (w *world) no(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) is(err, want error) {
	w.t.Helper()
	if !errors.Is(err, want) {
		w.t.Fatalf("error %v, want %v", err, want)
	}
}

// create makes a record in the state new.
func (w *world) create(id string) workflow.Record {
	w.t.Helper()
	return w.apply(w.Store, w.creation(id))
}

func (w *world) creation(id string) workflow.Change {
	return workflow.Change{
		Token: random(), Record: workflow.Record{Schema: 1, ID: id, Title: "a title", State: "new", Version: 1, Fence: 1, Attempt: 1},
		History: []workflow.Entry{{Event: "submitted", To: "new", Actor: "ann", Attempt: 1}},
	}
}

// move is a change of a record to a state.
func (w *world) move(rec workflow.Record, state string) workflow.Change {
	c := workflow.Change{Token: random(), SeenVersion: rec.Version, SeenState: rec.State, Record: rec.Clone()}
	c.Record.State, c.Record.Version = state, rec.Version+1
	c.History = []workflow.Entry{{Event: "to-" + state, From: rec.State, To: state, Actor: "engine", Evidence: map[string]any{"ok": true}}}
	return c
}

func (w *world) apply(s workflow.Store, c workflow.Change) workflow.Record {
	w.t.Helper()
	rec, err := s.Apply(w.ctx, c)
	w.no(err)
	return rec
}

// seen is all that a store shows of a PRP, to compare before and after.
type seen struct {
	rec     workflow.Record
	history int
	due     bool
	held    []string
	dead    int
	used    string
	waiting bool
	logs    int
}

func (w *world) see(id, incarnation, request string) seen {
	w.t.Helper()
	var s seen
	s.rec, _, _ = w.Load(w.ctx, id)
	h, err := w.History(w.ctx, id)
	w.no(err)
	s.history = len(h)
	due, err := w.Due(w.ctx, 1<<20)
	w.no(err)
	s.due = slices.Contains(due, id)
	s.held, err = w.Held(w.ctx, incarnation)
	w.no(err)
	dead, err := w.DeadLetters(w.ctx)
	w.no(err)
	for _, d := range dead {
		if d.PRP == id {
			s.dead++
		}
	}
	s.used, err = w.Request(w.ctx, id, request)
	w.no(err)
	s.waiting, err = w.InOutbox(w.ctx, id)
	w.no(err)
	return s
}

// same fails where what is seen is not what was seen before.
func (w *world) same(before, after seen) {
	w.t.Helper()
	if before.rec.Version != after.rec.Version || before.rec.State != after.rec.State || before.rec.Title != after.rec.Title ||
		before.history != after.history || before.due != after.due || !slices.Equal(before.held, after.held) ||
		before.dead != after.dead || before.used != after.used || before.waiting != after.waiting {
		w.t.Errorf("a refused change has changed something\nbefore: %+v\nafter:  %+v", before, after)
	}
}

// eventually waits for what a store does in its own time.
func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(end) {
			w.t.Fatalf("after 10 s not yet: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func job(id string, fence int64) *tasks.Job {
	return &tasks.Job{ID: tasks.NewJobID(id, fence, random()), PRP: id, Fence: fence, Type: "prp.develop", Role: "developer", Queue: "role:developer"}
}
