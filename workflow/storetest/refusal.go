package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// busy makes a record with something of everything: held by inc-1, due, with a
// dead letter, a used request id, a log and an entry to be sent.
func (w *world) busy(name string) workflow.Record {
	w.t.Helper()
	rec := w.create(w.id(name))
	c := w.move(rec, w.id("busy"))
	c.Hold, c.Request, c.Event, c.LookIn = w.id("inc-1"), "r-1", "start", time.Millisecond
	c.Publish = tasks.JobRef{Job: w.id("job-1"), Queue: "agent:dev-1"}
	c.Bury = []workflow.DeadLetter{w.letter(rec.ID, "d1")}
	c.Outbox = []workflow.OutboxEntry{{ID: rec.ID + "-1", Kind: workflow.SendLook, PRP: rec.ID}}
	rec = w.apply(w.Store, c)
	w.no(w.PutLog(w.ctx, rec.ID, workflow.RunLog{Run: "run-1", Text: "text"}))
	w.eventually("it is due", func() bool { return slices.Contains(w.due(), rec.ID) })
	return rec
}

// letterID is the id of the job that a letter is of.
func (w *world) letterID(prp, name string) string { return tasks.NewJobID(prp, 1, w.id(name)) }

func (w *world) letter(prp, name string) workflow.DeadLetter {
	return workflow.DeadLetter{ID: w.letterID(prp, name), PRP: prp, Queue: "agent:dev-1", Cause: workflow.CauseRetries, Reason: "it failed", Attempt: 3, At: time.Now().UTC().Truncate(time.Millisecond)}
}

// full adds to a change all that one can carry. It would undo all of busy.
func (w *world) full(c workflow.Change) workflow.Change {
	id := c.Record.ID
	c.Record.Title = "another title"
	c.Outbox = []workflow.OutboxEntry{{ID: id + "-2", Kind: workflow.SendTask, PRP: id, Task: job(id, 2)}, {ID: id + "-3", Kind: workflow.SendLook, PRP: id}}
	c.Request, c.Event = "r-2", c.History[0].Event
	c.LookIn = time.Hour
	c.Hold, c.Release = w.id("inc-2"), w.id("inc-1")
	c.Publish, c.Retire = tasks.JobRef{Job: w.id("job-2"), Queue: "agent:dev-2"}, tasks.JobRef{Job: w.id("job-1"), Queue: "agent:dev-1"}
	c.Bury, c.Raise = []workflow.DeadLetter{w.letter(id, "d2")}, []string{w.letterID(id, "d1")}
	return c
}

// refused wants a change refused, and nothing changed by it, whoever sends it.
func (w *world) refused(c workflow.Change, want error) {
	w.t.Helper()
	serve, _ := w.as("serve")
	before := w.see(c.Record.ID, serve)
	for _, s := range []workflow.Store{w.Store, serve} {
		_, err := s.Apply(w.ctx, c)
		w.is(err, want)
		w.same(before, w.see(c.Record.ID, serve))
	}
}

var refusalPromises = []promise{
	{"AVersionThatAnotherChangeMadeIsRefused", func(t *testing.T, w *world) { // a store that went back has other versions of the same number
		rec := w.busy("PRP")
		c := w.full(w.move(rec, w.id("other")))
		c.SeenToken = random()
		w.refused(c, workflow.ErrChanged)
		c.SeenToken = rec.Token + "x"
		w.refused(c, workflow.ErrChanged)
		c.SeenToken = rec.Token
		if got := w.apply(w.Store, c); got.Token != c.Token || got.Version != rec.Version+1 {
			t.Errorf("applied: version %d, token %q", got.Version, got.Token)
		}
	}},
	{"CreatingWhatExistsIsRefused", func(_ *testing.T, w *world) {
		rec := w.busy("PRP")
		again := w.creation(rec.ID)
		again.Record.State = w.id("other")
		w.refused(w.full(again), workflow.ErrExists)
	}},
	{"ChangingTheUnknownIsRefused", func(_ *testing.T, w *world) {
		ghost := workflow.Record{Schema: workflow.SchemaVersion, ID: w.id("ghost"), Version: 3, State: "new"}
		w.refused(w.full(w.move(ghost, w.id("other"))), workflow.ErrNotFound)
	}},
	{"AnotherVersionIsRefused", func(_ *testing.T, w *world) {
		rec := w.busy("PRP")
		for _, by := range []int64{-1, +1, +7} {
			seen := rec.Clone()
			seen.Version += by // the state is as it was seen
			w.refused(w.full(w.move(seen, w.id("other"))), workflow.ErrChanged)
		}
	}},
	{"AnotherStateIsRefused", func(_ *testing.T, w *world) {
		rec := w.busy("PRP")
		c := w.full(w.move(rec, w.id("other")))
		c.SeenState = "assigned"
		w.refused(c, workflow.ErrChanged)
	}},
	{"OfTwoChangesOfOneVersionOneIsRefused", func(_ *testing.T, w *world) {
		rec := w.busy("PRP")
		one, two := w.move(rec, rec.State), w.full(w.move(rec, w.id("other")))
		w.apply(w.Store, one)
		w.refused(two, workflow.ErrChanged)
	}},
	{"ATokenThatOnlyBeginsAlikeIsAnother", func(_ *testing.T, w *world) {
		rec := w.busy("PRP")
		one, two := w.move(rec, rec.State), w.full(w.move(rec, w.id("other")))
		one.Token = two.Token + "-and-more"
		w.apply(w.Store, one)
		w.refused(two, workflow.ErrChanged)
	}},
}
