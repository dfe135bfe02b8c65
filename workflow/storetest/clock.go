package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

const day = 24 * time.Hour

var clockPromises = []promise{
	{"TheStoresClockIsToldAndStamped", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		_, before, err := w.Load(w.ctx, rec.ID)
		w.no(err)
		if !rec.CreatedAt.Equal(before) {
			t.Errorf("created at %v, now is %v", rec.CreatedAt, before)
		}
		w.advance(90 * time.Minute)
		_, after, err := w.Load(w.ctx, rec.ID)
		w.no(err)
		moved := w.apply(w.Store, w.move(rec, "a"))
		h, err := w.History(w.ctx, rec.ID)
		w.no(err)
		if after.Sub(before) != 90*time.Minute || !moved.UpdatedAt.Equal(after) || !moved.CreatedAt.Equal(before) || !h[0].At.Equal(before) || !h[1].At.Equal(after) {
			t.Errorf("from %v to %v: %+v, %+v", before, after, moved, h)
		}
	}},
	{"HistoryTimeNeverGoesBack", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		w.advance(-time.Hour)
		moved := w.apply(w.Store, w.move(rec, "a"))
		moved = w.apply(w.Store, w.move(moved, "b"))
		h, err := w.History(w.ctx, rec.ID)
		w.no(err)
		if !moved.UpdatedAt.Equal(rec.UpdatedAt) || !h[1].At.Equal(rec.UpdatedAt) || !h[2].At.Equal(rec.UpdatedAt) || !moved.CreatedAt.Equal(rec.CreatedAt) {
			t.Errorf("at %v, then %+v", rec.UpdatedAt, h)
		}
	}},
	{"TheNextLookIsByTheClockEvenWhereItWentBack", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		w.advance(-time.Hour)
		c := w.move(rec, "a")
		c.LookIn = time.Second
		w.apply(w.Store, c)
		w.advance(time.Second)
		if got := w.due(); !slices.Equal(got, []string{rec.ID}) {
			t.Errorf("due: %v", got)
		}
	}},
	{"DueIsOrderedAndExact", func(t *testing.T, w *world) {
		const n = 20
		var want []string
		for i := range n {
			c := w.creation(w.id(fmt.Sprintf("PRP-%02d", i)))
			c.LookIn = time.Duration(n-i) * time.Second
			in := c.LookIn
			if i%2 == 1 {
				c.LookIn = day
			}
			rec := w.apply(w.Store, c)
			if i%2 == 1 { // by the one way, or by the other
				w.no(w.Look(w.ctx, rec.ID, rec.Version, in))
			}
			want = append([]string{rec.ID}, want...) // the last made is due first
		}
		w.advance(time.Second - time.Millisecond)
		if got := w.due(); len(got) != 0 {
			t.Errorf("due a millisecond too early: %v", got)
		}
		w.advance(time.Millisecond)
		if got := w.due(); !slices.Equal(got, want[:1]) {
			t.Errorf("due at once: %v", got)
		}
		w.advance(time.Hour)
		if got := w.due(); !slices.Equal(got, want) {
			t.Errorf("due: %v, want %v", got, want)
		}
		for _, limit := range []int{1, 7, n} {
			if got, err := w.Due(w.ctx, limit); err != nil || !slices.Equal(got, want[:limit]) {
				t.Errorf("of the first %d: %v, %v", limit, got, err)
			}
		}
	}},
	{"ARequestIdIsRememberedForADay", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		c := w.move(rec, "cancelled")
		c.Request, c.Event = "r-1", "cancel"
		w.apply(w.Store, c)
		w.advance(day - time.Second)
		if used := w.used(rec.ID, "r-1"); used != "cancel" {
			t.Errorf("before its day is over it was used for %q", used)
		}
		w.advance(2 * time.Second)
		if used := w.used(rec.ID, "r-1"); used != "" {
			t.Errorf("after its day it was used for %q", used)
		}
	}},
	{"DeadLettersAreKeptFor30Days", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		bury := func(name string) {
			c := w.move(rec, "failed")
			c.Bury = []workflow.DeadLetter{w.letter(rec.ID, name)}
			rec = w.apply(w.Store, c)
		}
		want := func(when string, names ...string) {
			t.Helper()
			var got []string
			for _, d := range w.buried(rec.ID) {
				got = append(got, d.ID)
			}
			for _, n := range []string{"a", "b", "c", "d"} {
				_, err := w.DeadLetter(w.ctx, w.letterID(rec.ID, n))
				if shown := slices.Contains(got, w.letterID(rec.ID, n)); shown && err != nil || !shown && !errors.Is(err, workflow.ErrNotFound) {
					t.Errorf("%s: %s is listed: %v, by its id it is %v", when, n, shown, err)
				}
			}
			slices.Sort(got)
			for i, n := range names {
				names[i] = w.letterID(rec.ID, n)
			}
			if !slices.Equal(got, names) {
				t.Errorf("%s: %v, want %v", when, got, names)
			}
		}
		bury("a")
		w.advance(day)
		bury("b")
		w.advance(29*day - time.Second)
		want("before its time is over", "a", "b")
		bury("c")
		want("one dies beside it", "a", "b", "c")
		w.advance(2 * time.Second)
		want("its time is over", "b", "c")
		bury("d")
		want("others die", "b", "c", "d")
		bury("a")
		want("it dies again", "a", "b", "c", "d")
		w.advance(day)
		want("the next one's time is over", "a", "c", "d")
	}},
	{"ALeaderLeadsForItsTime", func(t *testing.T, w *world) {
		lead := func(who string, want bool) {
			t.Helper()
			if ok, err := w.Lead(w.ctx, who, 2*time.Second); err != nil || ok != want {
				t.Errorf("%s leads: %v, %v", who, ok, err)
			}
		}
		lead("a", true)
		w.advance(1500 * time.Millisecond)
		lead("b", false)
		lead("a", true)
		w.advance(1500 * time.Millisecond)
		lead("b", false)
		w.advance(600 * time.Millisecond)
		lead("b", true)
		lead("a", false)
	}},
	{"WhoGoesSilentLosesItsEntries", func(t *testing.T, w *world) {
		s, _ := w.as("silent")
		rec := w.create(w.id("PRP"))
		w.commit(s, rec, w.looks(rec.ID, "a", "b")...)
		reap := func(want int) {
			t.Helper()
			if n, err := w.Reap(w.ctx, nil); err != nil || n != want {
				t.Errorf("%d came home, %v, want %d", n, err, want)
			}
		}
		w.advance(4900 * time.Millisecond)
		reap(0)
		if got := w.mine(s); len(got) != 2 { // which renews its lease
			t.Errorf("mine: %v", got)
		}
		w.advance(4900 * time.Millisecond)
		reap(0)
		w.advance(200 * time.Millisecond)
		reap(2)
		if got := w.mine(s); len(got) != 0 || !w.waiting(rec.ID, w.id("a")) {
			t.Errorf("mine: %v", got)
		}
		reap(0)
	}},
	{"WhoDiesAtOnceLosesItsEntries", func(t *testing.T, w *world) {
		s, _ := w.as("dead")
		rec := w.create(w.id("PRP"))
		w.commit(s, rec, w.looks(rec.ID, "a")...)
		w.advance(4900 * time.Millisecond)
		if n, err := w.Reap(w.ctx, nil); err != nil || n != 0 {
			t.Errorf("%d came home too early, %v", n, err)
		}
		w.advance(200 * time.Millisecond)
		if n, err := w.Reap(w.ctx, nil); err != nil || n != 1 {
			t.Errorf("%d came home, %v", n, err)
		}
	}},
	{"CommittingRenewsTheLease", func(t *testing.T, w *world) {
		s, _ := w.as("serve")
		rec := w.create(w.id("PRP"))
		rec = w.commit(s, rec, w.looks(rec.ID, "a")...)
		w.advance(4 * time.Second)
		w.commit(s, rec, w.looks(rec.ID, "b")...)
		w.advance(4 * time.Second)
		if n, err := w.Reap(w.ctx, nil); err != nil || n != 0 {
			t.Errorf("%d came home of one that commits, %v", n, err)
		}
	}},
}
