package storetest

import (
	"testing"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

var applyPromises = []promise{
	{"ACreatedRecordIsReadAsItWasWritten", func(t *testing.T, w *world) {
		id := w.id("PRP")
		c := w.creation(id)
		c.Record.DependsOn, c.Record.Agents = []string{"a", "b"}, map[string]string{"developer": "dev-1"}
		c.Record.Job, c.Record.Holder = job(id, 1), &workflow.Holder{Incarnation: "h:1:n", Agent: "dev-1", Run: "r1"}
		made := w.apply(w.Store, c)
		got, now, err := w.Load(w.ctx, id)
		w.no(err)
		if got.Version != 1 || got.State != "new" || len(got.DependsOn) != 2 || got.Agents["developer"] != "dev-1" || got.Job.ID != c.Record.Job.ID || got.Holder.Run != "r1" {
			t.Errorf("read %+v", got)
		}
		if !got.CreatedAt.Equal(made.CreatedAt) || !got.UpdatedAt.Equal(made.UpdatedAt) || got.CreatedAt.IsZero() || got.CreatedAt.After(now.Add(time.Second)) {
			t.Errorf("times: %v and %v, at %v", got.CreatedAt, got.UpdatedAt, now)
		}
	}},
	{"AnUnknownRecordIsNotFound", func(t *testing.T, w *world) {
		_, now, err := w.Load(w.ctx, w.id("nobody"))
		w.is(err, workflow.ErrNotFound)
		if now.IsZero() {
			t.Error("the clock is not told")
		}
		_, err = w.Apply(w.ctx, w.move(workflow.Record{ID: w.id("nobody"), Version: 3, State: "new"}, "x"))
		w.is(err, workflow.ErrNotFound)
	}},
	{"LoadManyKeepsTheOrderAndTheGaps", func(t *testing.T, w *world) {
		a, b := w.create(w.id("A")), w.create(w.id("B"))
		recs, err := w.LoadMany(w.ctx, []string{b.ID, w.id("none"), a.ID})
		w.no(err)
		if len(recs) != 3 || recs[0].ID != b.ID || recs[1].ID != "" || recs[2].ID != a.ID {
			t.Errorf("got %v", recs)
		}
		if none, err := w.LoadMany(w.ctx, nil); err != nil || len(none) != 0 {
			t.Errorf("nothing asked, answered %v, %v", none, err)
		}
	}},
	{"CreatingWhatExistsIsRefused", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		before := w.see(rec.ID, "i"+w.unique, "r")
		again := full(w, w.creation(rec.ID))
		again.Record.Title = "another"
		_, err := w.Apply(w.ctx, again)
		w.is(err, workflow.ErrExists)
		w.same(before, w.see(rec.ID, "i"+w.unique, "r"))
	}},
	{"AnotherVersionIsRefused", func(t *testing.T, w *world) {
		old := w.create(w.id("PRP"))
		w.apply(w.Store, w.move(old, "new")) // the state stays, the version moves
		before := w.see(old.ID, "i"+w.unique, "r")
		_, err := w.Apply(w.ctx, full(w, w.move(old, "validated")))
		w.is(err, workflow.ErrChanged)
		w.same(before, w.see(old.ID, "i"+w.unique, "r"))
		ahead := old.Clone()
		ahead.Version = 7
		_, err = w.Apply(w.ctx, full(w, w.move(ahead, "validated")))
		w.is(err, workflow.ErrChanged)
		w.same(before, w.see(old.ID, "i"+w.unique, "r"))
	}},
	{"AnotherStateIsRefused", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		before := w.see(rec.ID, "i"+w.unique, "r")
		c := full(w, w.move(rec, "validated"))
		c.SeenState = "assigned"
		_, err := w.Apply(w.ctx, c)
		w.is(err, workflow.ErrChanged)
		w.same(before, w.see(rec.ID, "i"+w.unique, "r"))
	}},
	{"TheSameChangeTwiceIsOneAndAnswersTheSame", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		c := full(w, w.move(rec, "validated"))
		first := w.apply(w.Store, c)
		before := w.see(rec.ID, "i"+w.unique, "r")
		states, events, err := w.Counts(w.ctx)
		w.no(err)
		second := w.apply(w.Store, c)
		if first.Version != second.Version || first.State != second.State || !first.UpdatedAt.Equal(second.UpdatedAt) || !first.CreatedAt.Equal(second.CreatedAt) {
			t.Errorf("answered %+v, then %+v", first, second)
		}
		w.same(before, w.see(rec.ID, "i"+w.unique, "r"))
		_ = states
		_ = events
	}},
	{"AChangeIsSavedWhole", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		c := full(w, w.move(rec, "validated"))
		w.apply(w.Store, c)
		got := w.see(rec.ID, "i"+w.unique, "r")
		if got.rec.Version != 2 || got.rec.State != "validated" || got.history != 2 || len(got.held) != 1 || got.dead != 1 || got.used != "to-validated" || !got.waiting {
			t.Errorf("seen %+v", got)
		}
	}},
	{"TheHistoryIsKeptInOrderWithTimesThatNeverGoBack", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		for _, s := range []string{"a", "b", "c"} {
			rec = w.apply(w.Store, w.move(rec, s))
		}
		h, err := w.History(w.ctx, rec.ID)
		w.no(err)
		if len(h) != 4 || h[0].Event != "submitted" || h[3].To != "c" || h[3].Evidence["ok"] != true {
			t.Fatalf("history %+v", h)
		}
		for i := 1; i < len(h); i++ {
			if h[i].From != h[i-1].To || h[i].At.Before(h[i-1].At) || h[i].At.IsZero() {
				t.Errorf("entry %d does not follow: %+v after %+v", i, h[i], h[i-1])
			}
		}
		none, err := w.History(w.ctx, w.id("nobody"))
		w.no(err)
		if len(none) != 0 {
			t.Errorf("nobody's history is %v", none)
		}
	}},
	{"SeveralEntriesOfOneChangeAreKept", func(t *testing.T, w *world) {
		c := w.creation(w.id("PRP"))
		c.History = append(c.History, workflow.Entry{Event: "validate", From: "new", To: "validated"}, workflow.Entry{Event: "assign", From: "validated", To: "assigned"})
		rec := w.apply(w.Store, c)
		h, err := w.History(w.ctx, rec.ID)
		w.no(err)
		if len(h) != 3 || h[1].Event != "validate" || h[2].Event != "assign" {
			t.Errorf("history %+v", h)
		}
	}},
	{"ARequestIdIsRememberedWithItsEvent", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		used, err := w.Request(w.ctx, rec.ID, "r-1")
		w.no(err)
		if used != "" {
			t.Errorf("a fresh id was used for %q", used)
		}
		c := w.move(rec, "cancelled")
		c.Request, c.Event = "r-1", "cancel"
		w.apply(w.Store, c)
		if used, err = w.Request(w.ctx, rec.ID, "r-1"); err != nil || used != "cancel" {
			t.Errorf("used for %q, %v", used, err)
		}
		other := w.create(w.id("other"))
		if used, err = w.Request(w.ctx, other.ID, "r-1"); err != nil || used != "" {
			t.Errorf("the id of one PRP counts for another: %q, %v", used, err)
		}
	}},
	{"AChangeWithoutARequestUsesNone", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		c := w.move(rec, "validated")
		c.Event = "validate"
		w.apply(w.Store, c)
		if used, err := w.Request(w.ctx, rec.ID, ""); err != nil || used != "" {
			t.Errorf("no id was used for %q, %v", used, err)
		}
	}},
}

// full adds to a change all that one can carry.
func full(w *world, c workflow.Change) workflow.Change {
	id := c.Record.ID
	c.Outbox = []workflow.OutboxEntry{{ID: random(), Kind: workflow.SendTask, PRP: id, Task: job(id, 2)}}
	c.Request, c.Event = "r", "to-"+c.Record.State
	c.LookIn = time.Hour
	c.Hold = "i" + w.unique
	c.Bury = []workflow.DeadLetter{{ID: w.id("dead"), PRP: id, Queue: "agent:dev-1", Reason: "it failed", Attempt: 3, At: time.Now().UTC()}}
	return c
}
