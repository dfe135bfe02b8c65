package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

var listPromises = []promise{
	{"ListShowsAllRecordsTheOldestFirst", func(t *testing.T, w *world) {
		var want []string
		for _, n := range []string{"C", "A", "B", "F", "E", "D"} {
			want = append(want, w.create(w.id(n)).ID)
		}
		first, _, err := w.Load(w.ctx, want[0])
		w.no(err)
		w.apply(w.Store, w.move(first, "changed")) // a change makes it no younger
		all, err := w.List(w.ctx)
		w.no(err)
		var got []string
		for _, r := range all {
			if slices.Contains(want, r.ID) {
				got = append(got, r.ID)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("listed %v, created %v", got, want)
		}
	}},
	{"CountsFollowStatesAndEvents", func(t *testing.T, w *world) {
		one, two := "st-one-"+w.unique, "st-two-"+w.unique
		rec := w.create(w.id("PRP"))
		rec = w.apply(w.Store, w.move(rec, one))
		rec = w.apply(w.Store, w.move(rec, one))
		states, events, err := w.Counts(w.ctx)
		w.no(err)
		if states[one] != 1 || events["to-"+one] != 2 {
			t.Errorf("%d PRPs in the state, %d events", states[one], events["to-"+one])
		}
		c := w.move(rec, two)
		c.History = append(c.History, workflow.Entry{Event: "noted-" + w.unique, From: two, To: two}, workflow.Entry{Event: "noted-" + w.unique, From: two, To: two})
		w.apply(w.Store, c)
		states, events, err = w.Counts(w.ctx)
		w.no(err)
		if states[one] != 0 || states[two] != 1 || events["to-"+two] != 1 || events["noted-"+w.unique] != 2 {
			t.Errorf("after it moved on: %d and %d PRPs, %d events", states[one], states[two], events["to-"+two])
		}
		other := w.creation(w.id("other"))
		other.Record.State = two
		w.apply(w.Store, other)
		if states, _, err = w.Counts(w.ctx); err != nil || states[two] != 2 {
			t.Errorf("a created one is not counted: %d, %v", states[two], err)
		}
	}},
	{"DueShowsWhatIsDueAndNothingElse", func(t *testing.T, w *world) {
		soon, late, never := w.creation(w.id("soon")), w.creation(w.id("late")), w.creation(w.id("never"))
		soon.LookIn, late.LookIn = time.Millisecond, time.Hour
		rec := w.apply(w.Store, soon)
		w.apply(w.Store, late)
		w.apply(w.Store, never)
		w.eventually("it is due", func() bool { return slices.Contains(w.due(), rec.ID) })
		if ids := w.due(); slices.Contains(ids, late.Record.ID) || slices.Contains(ids, never.Record.ID) {
			t.Errorf("due too early: %v", ids)
		}
		if ids, err := w.Due(w.ctx, 1); err != nil || len(ids) != 1 {
			t.Errorf("one asked, %v answered, %v", ids, err)
		}
		w.apply(w.Store, w.move(rec, "complete")) // LookIn 0: no look any more
		if slices.Contains(w.due(), rec.ID) {
			t.Error("it is still due after a change without a look")
		}
	}},
	{"LookMovesTheTimeOfWhatIsAsItWasSeen", func(t *testing.T, w *world) {
		c := w.creation(w.id("PRP"))
		c.LookIn = time.Hour
		rec := w.apply(w.Store, c)
		due := func() bool { return slices.Contains(w.due(), rec.ID) }
		w.no(w.Look(w.ctx, rec.ID, rec.Version, time.Millisecond))
		w.eventually("it is due", due)
		w.no(w.Look(w.ctx, rec.ID, rec.Version+1, time.Hour))
		if !due() {
			t.Error("a look at another version has moved the time")
		}
		w.no(w.Look(w.ctx, rec.ID, rec.Version+1, 0))
		if !due() {
			t.Error("a look at another version has ended the looks")
		}
		w.no(w.Look(w.ctx, rec.ID, rec.Version, time.Hour))
		if due() {
			t.Error("it is still due")
		}
		w.no(w.Look(w.ctx, rec.ID, rec.Version, time.Millisecond))
		w.eventually("it is due again", due)
		w.no(w.Look(w.ctx, rec.ID, rec.Version, 0))
		if due() {
			t.Error("it is due after the last look")
		}
	}},
	{"ALookAtTheUnknownChangesNothing", func(t *testing.T, w *world) {
		ghost := w.id("ghost")
		w.no(w.Look(w.ctx, ghost, 1, time.Millisecond))
		w.no(w.Look(w.ctx, ghost, 0, time.Millisecond))
		witness := w.creation(w.id("witness"))
		witness.LookIn = 2 * time.Millisecond
		w.apply(w.Store, witness)
		w.eventually("what was asked for later is due", func() bool { return slices.Contains(w.due(), witness.Record.ID) })
		if slices.Contains(w.due(), ghost) {
			t.Error("it is due")
		}
	}},
	{"HeldFollowsHoldAndRelease", func(t *testing.T, w *world) {
		one, two := w.id("inc-1"), w.id("inc-2")
		rec := w.create(w.id("PRP"))
		change := func(hold, release string) {
			t.Helper()
			c := w.move(rec, rec.State)
			c.Hold, c.Release = hold, release
			rec = w.apply(w.Store, c)
		}
		want := func(ones, twos []string) {
			t.Helper()
			if !slices.Equal(w.held(one), ones) || !slices.Equal(w.held(two), twos) {
				t.Errorf("held: %v and %v, want %v and %v", w.held(one), w.held(two), ones, twos)
			}
		}
		change(one, "")
		want([]string{rec.ID}, nil)
		change("", "")
		want([]string{rec.ID}, nil)
		change(one, one) // the next run of the same process
		want([]string{rec.ID}, nil)
		change(two, one)
		want(nil, []string{rec.ID})
		change("", two)
		want(nil, nil)
		change("", two)
		want(nil, nil)
		all := []string{w.id("A"), w.id("B"), w.id("C"), w.id("D")}
		for _, id := range all {
			c := w.creation(id)
			c.Hold = one
			w.apply(w.Store, c)
		}
		want(all, nil)
	}},
	{"DeadLettersAreBuriedAndRaised", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		d1, d2 := w.letter(rec.ID, "d1"), w.letter(rec.ID, "d2")
		d2.At, d2.Reason, d2.Cause = d1.At.Add(time.Second), "later", workflow.CauseLost
		c := w.move(rec, "failed")
		c.Bury = []workflow.DeadLetter{d2, d1}
		rec = w.apply(w.Store, c)
		if got := w.buried(rec.ID); text(got) != text([]workflow.DeadLetter{d1, d2}) {
			t.Errorf("dead letters %s", text(got))
		}
		c = w.move(rec, "assigned")
		c.Raise = []string{d1.ID, w.id("unknown")}
		rec = w.apply(w.Store, c)
		if got := w.buried(rec.ID); text(got) != text([]workflow.DeadLetter{d2}) {
			t.Errorf("after one was raised: %s", text(got))
		}
		d2.Reason = "once more"
		c = w.move(rec, "failed")
		c.Bury = []workflow.DeadLetter{d2}
		w.apply(w.Store, c)
		if got := w.buried(rec.ID); text(got) != text([]workflow.DeadLetter{d2}) {
			t.Errorf("after it died once more: %s", text(got))
		}
	}},
	{"ADeadLetterIsFoundByTheIDOfItsJob", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP:with:colons"))
		d1, d2 := w.letter(rec.ID, "d1"), w.letter(rec.ID, "d2")
		c := w.move(rec, "failed")
		c.Bury = []workflow.DeadLetter{d1, d2}
		rec = w.apply(w.Store, c)
		c = w.move(rec, "assigned")
		c.Raise = []string{d1.ID}
		w.apply(w.Store, c)
		if got, err := w.DeadLetter(w.ctx, d2.ID); err != nil || text(got) != text(d2) {
			t.Errorf("found %s, %v", text(got), err)
		}
		for _, id := range []string{d1.ID, w.letterID(rec.ID, "d3"), w.letterID(w.id("unheard of"), "d2"), w.id("no job"), ""} {
			_, err := w.DeadLetter(w.ctx, id)
			w.is(err, workflow.ErrNotFound)
		}
	}},
	{"DependantsComeInOrderAndChunks", func(t *testing.T, w *world) {
		dep := w.id("dep")
		for _, id := range []string{"c", "a", "b", "a", "a:1"} {
			w.no(w.AddDependant(w.ctx, dep, id))
		}
		for _, c := range []struct {
			after string
			limit int
			want  []string
		}{
			{"", 2, []string{"a", "a:1"}}, {"a:1", 2, []string{"b", "c"}}, {"a", 1, []string{"a:1"}},
			{"c", 2, nil}, {"bb", 9, []string{"c"}}, {"", 9, []string{"a", "a:1", "b", "c"}},
		} {
			if got, err := w.Dependants(w.ctx, dep, c.after, c.limit); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("%d after %q: %v, %v, want %v", c.limit, c.after, got, err, c.want)
			}
		}
		if none, err := w.Dependants(w.ctx, w.id("other"), "", 2); err != nil || len(none) != 0 {
			t.Errorf("nobody's: %v, %v", none, err)
		}
	}},
	{"LogsKeepTheOrderOfTheRuns", func(t *testing.T, w *world) {
		rec, other := w.create(w.id("PRP")), w.create(w.id("other"))
		at := time.Now().UTC().Truncate(time.Millisecond)
		w.no(w.PutLog(w.ctx, rec.ID, workflow.RunLog{Run: "a", Started: at.Add(time.Second), Text: "third"}))
		w.no(w.PutLog(w.ctx, rec.ID, workflow.RunLog{Run: "c", Started: at, Text: "second"}))
		w.no(w.PutLog(w.ctx, rec.ID, workflow.RunLog{Run: "b", Started: at, Text: "fir"}))
		w.no(w.PutLog(w.ctx, rec.ID, workflow.RunLog{Run: "b", Started: at, Text: "first", Agent: "dev-1", Job: "j"}))
		w.no(w.PutLog(w.ctx, other.ID, workflow.RunLog{Run: "b", Started: at, Text: "another PRP's"}))
		logs, err := w.Logs(w.ctx, rec.ID)
		w.no(err)
		want := []workflow.RunLog{
			{Run: "b", Started: at, Text: "first", Agent: "dev-1", Job: "j"}, {Run: "c", Started: at, Text: "second"},
			{Run: "a", Started: at.Add(time.Second), Text: "third"},
		}
		if text(logs) != text(want) {
			t.Errorf("logs %s", text(logs))
		}
		if none, err := w.Logs(w.ctx, w.id("nobody")); err != nil || len(none) != 0 {
			t.Errorf("nobody's logs: %v, %v", none, err)
		}
	}},
}
