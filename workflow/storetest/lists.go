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
		for _, n := range []string{"C", "A", "B"} {
			want = append(want, w.create(w.id(n)).ID)
		}
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
		w.apply(w.Store, w.move(rec, two))
		states, events, err = w.Counts(w.ctx)
		w.no(err)
		if states[one] != 0 || states[two] != 1 || events["to-"+two] != 1 {
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
		due := func() []string {
			ids, err := w.Due(w.ctx, 1<<20)
			w.no(err)
			return ids
		}
		w.eventually("it is due", func() bool { return slices.Contains(due(), rec.ID) })
		if ids := due(); slices.Contains(ids, late.Record.ID) || slices.Contains(ids, never.Record.ID) {
			t.Errorf("due too early: %v", ids)
		}
		if ids, err := w.Due(w.ctx, 1); err != nil || len(ids) != 1 {
			t.Errorf("one asked, %v answered, %v", ids, err)
		}
		w.apply(w.Store, w.move(rec, "complete")) // LookIn 0: no look any more
		if slices.Contains(due(), rec.ID) {
			t.Error("it is still due after a change without a look")
		}
	}},
	{"LookMovesTheTimeOfWhatIsAsItWasSeen", func(t *testing.T, w *world) {
		c := w.creation(w.id("PRP"))
		c.LookIn = time.Hour
		rec := w.apply(w.Store, c)
		due := func() bool {
			ids, err := w.Due(w.ctx, 1<<20)
			w.no(err)
			return slices.Contains(ids, rec.ID)
		}
		w.no(w.Look(w.ctx, rec.ID, rec.Version+1, time.Millisecond))
		w.no(w.Look(w.ctx, rec.ID, rec.Version, time.Millisecond))
		w.eventually("it is due", due)
		w.no(w.Look(w.ctx, rec.ID, rec.Version+1, time.Hour))
		if !due() {
			t.Error("a look at another version has moved the time")
		}
		w.no(w.Look(w.ctx, rec.ID, rec.Version, 0))
		if due() {
			t.Error("it is still due")
		}
		w.no(w.Look(w.ctx, w.id("nobody"), 1, time.Millisecond))
	}},
	{"HeldFollowsHoldAndRelease", func(t *testing.T, w *world) {
		one, two := w.id("inc-1"), w.id("inc-2")
		rec := w.create(w.id("PRP"))
		c := w.move(rec, "development")
		c.Hold = one
		rec = w.apply(w.Store, c)
		held := func(who string) []string {
			ids, err := w.Held(w.ctx, who)
			w.no(err)
			return ids
		}
		if !slices.Equal(held(one), []string{rec.ID}) || len(held(two)) != 0 {
			t.Errorf("held: %v and %v", held(one), held(two))
		}
		c = w.move(rec, "development")
		c.Hold, c.Release = two, one
		rec = w.apply(w.Store, c)
		if len(held(one)) != 0 || !slices.Equal(held(two), []string{rec.ID}) {
			t.Errorf("after it changed hands: %v and %v", held(one), held(two))
		}
		c = w.move(rec, "validation")
		c.Release = two
		w.apply(w.Store, c)
		if len(held(two)) != 0 {
			t.Errorf("after it was let go: %v", held(two))
		}
	}},
	{"DeadLettersAreBuriedAndRaised", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		c := w.move(rec, "failed")
		at := time.Now().UTC().Truncate(time.Millisecond)
		c.Bury = []workflow.DeadLetter{
			{ID: w.id("d2"), PRP: rec.ID, Queue: "agent:dev-1", Cause: workflow.CauseLost, Reason: "later", Attempt: 5, At: at.Add(time.Second)},
			{ID: w.id("d1"), PRP: rec.ID, Queue: "agent:dev-1", Cause: workflow.CauseRetries, Reason: "it failed", Attempt: 3, At: at},
		}
		rec = w.apply(w.Store, c)
		mine := func() (ids []string, first workflow.DeadLetter) {
			all, err := w.DeadLetters(w.ctx)
			w.no(err)
			for _, d := range all {
				if d.PRP == rec.ID {
					if ids = append(ids, d.ID); len(ids) == 1 {
						first = d
					}
				}
			}
			return ids, first
		}
		ids, first := mine()
		if !slices.Equal(ids, []string{w.id("d1"), w.id("d2")}) || first.Reason != "it failed" || first.Attempt != 3 || first.Cause != workflow.CauseRetries || !first.At.Equal(at) {
			t.Errorf("dead letters %v, the first %+v", ids, first)
		}
		c = w.move(rec, "assigned")
		c.Raise = []string{w.id("d1")}
		w.apply(w.Store, c)
		if ids, _ = mine(); !slices.Equal(ids, []string{w.id("d2")}) {
			t.Errorf("after one was raised: %v", ids)
		}
	}},
	{"DependantsComeInOrderAndChunks", func(t *testing.T, w *world) {
		dep := w.id("dep")
		for _, id := range []string{"c", "a", "b", "a"} {
			w.no(w.AddDependant(w.ctx, dep, id))
		}
		first, err := w.Dependants(w.ctx, dep, "", 2)
		w.no(err)
		rest, err := w.Dependants(w.ctx, dep, "b", 2)
		w.no(err)
		none, err := w.Dependants(w.ctx, w.id("other"), "", 2)
		w.no(err)
		if !slices.Equal(first, []string{"a", "b"}) || !slices.Equal(rest, []string{"c"}) || len(none) != 0 {
			t.Errorf("%v, then %v; nobody's: %v", first, rest, none)
		}
	}},
	{"LogsKeepTheOrderOfTheRuns", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		at := time.Now().UTC().Truncate(time.Millisecond)
		w.no(w.PutLog(w.ctx, rec.ID, workflow.RunLog{Run: "a", Started: at.Add(time.Second), Text: "second"}))
		w.no(w.PutLog(w.ctx, rec.ID, workflow.RunLog{Run: "b", Started: at, Text: "fir"}))
		w.no(w.PutLog(w.ctx, rec.ID, workflow.RunLog{Run: "b", Started: at, Text: "first", Agent: "dev-1", Job: "j"}))
		logs, err := w.Logs(w.ctx, rec.ID)
		w.no(err)
		if len(logs) != 2 || logs[0].Text != "first" || logs[0].Agent != "dev-1" || logs[1].Text != "second" {
			t.Errorf("logs %+v", logs)
		}
		if none, err := w.Logs(w.ctx, w.id("nobody")); err != nil || len(none) != 0 {
			t.Errorf("nobody's logs: %v, %v", none, err)
		}
	}},
}
