package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

var otherPromises = []promise{
	{"ALeaseGoesRoundInTheOrderOfAsking", func(t *testing.T, w *world) {
		lease := w.id("repo")
		same := func(what string, got []string, err error, want ...string) {
			t.Helper()
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %q, %v, want %q", what, got, err, want)
			}
		}
		acquire := func(m string, capacity int, want ...string) {
			t.Helper()
			got, err := w.AcquireLease(w.ctx, lease, m, capacity)
			same(m+" asked, the owners", got, err, want...)
		}
		release := func(m string, capacity int, want ...string) {
			t.Helper()
			got, err := w.ReleaseLease(w.ctx, lease, m, capacity)
			same(m+" has left, the owners", got, err, want...)
		}
		for _, m := range []string{"d:1", "b:1", "d:1", "c:1", "a:1", "b:1"} {
			acquire(m, 1, "d:1")
		}
		acquire("a:1", 2, "d:1", "b:1")
		got, err := w.LeaseMembers(w.ctx, lease, 3)
		same("the first three", got, err, "d:1", "b:1", "c:1")
		got, err = w.LeaseMembers(w.ctx, lease, 99)
		same("all", got, err, "d:1", "b:1", "c:1", "a:1")
		release("b:1", 1, "d:1") // one who waits
		release("d:1", 2, "c:1", "a:1")
		release("d:1", 1, "c:1")
		acquire("b:1", 1, "c:1") // at the end, although it asked before
		release("unknown", 1, "c:1")
		release("c:1", 1, "a:1")
		release("a:1", 1, "b:1")
		release("b:1", 1)
		release("b:1", 1)
		acquire("z:1", 1, "z:1")
		got, err = w.AcquireLease(w.ctx, w.id("other"), "d:1", 1)
		same("another lease", got, err, "d:1")
		names, err := w.LeaseNames(w.ctx)
		w.no(err)
		for _, name := range []string{lease, w.id("other")} {
			if !slices.Contains(names, name) {
				t.Errorf("the lease %s is not among %q", name, names)
			}
		}
		if none, err := w.LeaseMembers(w.ctx, w.id("nobody's"), 1); err != nil || len(none) != 0 {
			t.Errorf("members of nobody's lease: %q, %v", none, err)
		}
	}},
	{"AScanComesToEveryRecord", func(t *testing.T, w *world) {
		want := map[string]bool{}
		for i := range 40 {
			rec := w.create(w.id(fmt.Sprint("PRP", i)))
			want[rec.ID] = true
		}
		for cursor, steps := "", 0; ; steps++ {
			ids, next, err := w.Scan(w.ctx, cursor, 7)
			w.no(err)
			for _, id := range ids {
				delete(want, id)
			}
			if cursor = next; next == "" {
				break
			}
			if steps > 100_000 {
				t.Fatal("the scan does not end")
			}
		}
		if len(want) > 0 {
			t.Errorf("it has not come to %d of 40", len(want))
		}
	}},
	{"WhatIsOutIsKnownAndCounted", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		one, two := tasks.JobRef{Job: w.id("one"), Queue: "agent:a"}, tasks.JobRef{Job: w.id("two"), Queue: "agent:b"}
		for _, step := range []struct {
			publish, retire tasks.JobRef
			want            []tasks.JobRef
		}{
			{one, tasks.JobRef{}, []tasks.JobRef{one}},
			{tasks.JobRef{}, tasks.JobRef{}, []tasks.JobRef{one}},
			{two, one, []tasks.JobRef{two}},
			{tasks.JobRef{}, two, []tasks.JobRef{}},
		} {
			c := w.move(rec, "s")
			c.Publish, c.Retire = step.publish, step.retire
			rec = w.apply(w.Store, c)
			if got := w.published(); !slices.Equal(got, step.want) {
				t.Errorf("out are %v, want %v", got, step.want)
			}
		}
		c := w.move(rec, "s")
		c.Publish = tasks.JobRef{Job: tasks.NewJobID(rec.ID, 1, "n"), Queue: "agent:a"}
		w.apply(w.Store, c)
		for range 2 {
			w.no(w.Unpublish(w.ctx, []string{c.Publish.Job}))
		}
		w.no(w.Unpublish(w.ctx, nil))
		if got := w.published(); len(got) > 0 {
			t.Errorf("out are %v, want none", got)
		}
	}},
	{"ALookAtWhatIsGoneIsTheLast", func(t *testing.T, w *world) {
		rec := w.busy("PRP")
		w.no(w.Look(w.ctx, rec.ID, rec.Version+1, time.Hour)) // another version: whoever made it has set the time
		if !slices.Contains(w.due(), rec.ID) {
			t.Error("a stale look has moved the time")
		}
		w.no(w.Look(w.ctx, rec.ID, workflow.AnyVersion, time.Hour))
		if slices.Contains(w.due(), rec.ID) {
			t.Error("a look at any version has not moved the time")
		}
		w.no(w.Look(w.ctx, w.id("nobody"), 3, time.Millisecond))
		time.Sleep(5 * time.Millisecond)
		if slices.Contains(w.due(), w.id("nobody")) {
			t.Error("a record that is not there is due")
		}
	}},
	{"DocumentsAndLifecyclesAreKeptByHash", func(t *testing.T, w *world) {
		key := w.id("hash")
		for what, s := range map[string]struct {
			put func(text string) error
			get func(key string) ([]byte, error)
		}{
			"document": {func(text string) error { return w.PutDocument(w.ctx, key, []byte(text)) },
				func(key string) ([]byte, error) { return w.Document(w.ctx, key) }},
			"lifecycle": {func(text string) error { return w.PutLifecycle(w.ctx, key, []byte(text)) },
				func(key string) ([]byte, error) { return w.Lifecycle(w.ctx, key) }},
		} {
			text := what + "\r\n\x00\xff ünï\n"
			_, err := s.get(key)
			w.is(err, workflow.ErrNotFound)
			_, err = s.get("")
			w.is(err, workflow.ErrNotFound)
			w.no(s.put(text))
			w.no(s.put(text))
			if got, err := s.get(key); err != nil || string(got) != text {
				t.Errorf("%s %q, %v", what, got, err)
			}
			w.no(s.put("what has this hash is there already"))
			if got, err := s.get(key); err != nil || string(got) != text {
				t.Errorf("%s was replaced: %q, %v", what, got, err)
			}
		}
	}},
}

var alonePromises = []promise{
	{"TheFirstProcessSaysWhatTheStoreIs", func(t *testing.T, w *world) {
		w.is(w.UseLifecycle(w.ctx, "h0"), workflow.ErrNotFound)
		want := workflow.Meta{Schema: workflow.SchemaVersion, StoreID: "one", Partitions: 8, Lifecycle: "h1"}
		for _, id := range []string{"one", "two"} {
			got, err := w.Meta(w.ctx, workflow.Meta{Schema: workflow.SchemaVersion, StoreID: id, Lifecycle: "h1"})
			w.no(err)
			if got != want {
				t.Errorf("%s: %+v", id, got)
			}
		}
		w.no(w.UseLifecycle(w.ctx, "h3"))
		want.Lifecycle = "h3"
		if got, err := w.Meta(w.ctx, workflow.Meta{Schema: workflow.SchemaVersion, StoreID: "three", Lifecycle: "h4"}); err != nil || got != want {
			t.Errorf("after another lifecycle was chosen: %+v, %v", got, err)
		}
	}},
	{"OneSweeps", func(t *testing.T, w *world) {
		lead := func(who string, ttl time.Duration) bool {
			ok, err := w.Lead(w.ctx, who, ttl)
			w.no(err)
			return ok
		}
		if !lead("a", time.Hour) || !lead("a", 100*time.Millisecond) {
			t.Fatal("the first does not lead, or cannot renew it")
		}
		w.eventually("the lease of the first ends", func() bool { return lead("b", time.Hour) })
		if lead("a", time.Hour) || lead("c", time.Hour) {
			t.Error("two lead")
		}
	}},
	{"PublishedCountsAddUp", func(t *testing.T, w *world) {
		for i := range 12 {
			c := w.creation(w.id(fmt.Sprint("PRP", i)))
			c.Publish = tasks.JobRef{Job: c.Record.ID + ":1:n", Queue: "role:developer"}
			w.apply(w.Store, c)
			if n, err := w.Published(w.ctx); err != nil || n != int64(i+1) {
				t.Fatalf("%d are out, %v", n, err)
			}
		}
	}},
	{"AnEmptyStoreShowsNothing", func(t *testing.T, w *world) {
		list, err := w.List(w.ctx)
		w.no(err)
		states, events, err := w.Counts(w.ctx)
		w.no(err)
		dead, err := w.DeadLetters(w.ctx)
		w.no(err)
		reaped, err := w.Reap(w.ctx, []string{"host:1:x"})
		w.no(err)
		if n := len(list) + len(states) + len(events) + len(dead) + len(w.due()) + len(w.held("x")) + len(w.mine(w.Store)) + reaped; n != 0 {
			t.Errorf("it shows %d things", n)
		}
		if w.waiting("x", "x") {
			t.Error("something is to be sent")
		}
	}},
	{"CountsAddUp", func(t *testing.T, w *world) {
		const n = 12
		for i := range n {
			rec := w.create(w.id(fmt.Sprint("PRP", i)))
			for j := range i {
				rec = w.apply(w.Store, w.move(rec, fmt.Sprint("s", j%3)))
			}
		}
		states, events, err := w.Counts(w.ctx)
		w.no(err)
		list, err := w.List(w.ctx)
		w.no(err)
		want, moves := map[string]int64{}, int64(0)
		for _, r := range list {
			want[r.State]++
			h, err := w.History(w.ctx, r.ID)
			w.no(err)
			moves += int64(len(h))
		}
		mapsDelete(states, func(string, int64) bool { return false })
		if len(list) != n || text(states) != text(want) || moves != events["submitted"]+events["to-s0"]+events["to-s1"]+events["to-s2"] {
			t.Errorf("%d PRPs, states %v, want %v, %d moves of %v", len(list), states, want, moves, events)
		}
	}},
	{"TheDeadLettersOfAllComeTheOldestFirst", func(t *testing.T, w *world) {
		var want []string
		at := time.Now().UTC().Truncate(time.Millisecond)
		for i := range 12 {
			c := w.creation(w.id(fmt.Sprint("PRP", i)))
			d := w.letter(c.Record.ID, fmt.Sprint("d", i))
			d.At = at.Add(-time.Duration(i) * time.Second)
			c.Bury = []workflow.DeadLetter{d}
			w.apply(w.Store, c)
			want = append([]string{d.ID}, want...)
		}
		dead, err := w.DeadLetters(w.ctx)
		w.no(err)
		var got []string
		for _, d := range dead {
			got = append(got, d.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("dead letters %v, want %v", got, want)
		}
	}},
}
