package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// commit saves a change with one entry to be sent, as a process.
func (w *world) commit(s workflow.Store, rec workflow.Record, entries ...workflow.OutboxEntry) workflow.Record {
	w.t.Helper()
	c := w.move(rec, rec.State)
	for i := range entries {
		entries[i].PRP = rec.ID
	}
	c.Outbox = entries
	return w.apply(s, c)
}

func (w *world) mine(s workflow.Store) []string {
	w.t.Helper()
	entries, err := s.Mine(w.ctx)
	w.no(err)
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	return ids
}

func (w *world) waiting(prp string) bool {
	w.t.Helper()
	is, err := w.InOutbox(w.ctx, prp)
	w.no(err)
	return is
}

// receive takes entries until there are n of that PRP. What others left stays
// in hand.
func (w *world) receive(s workflow.Store, prp string, n int) []workflow.OutboxEntry {
	w.t.Helper()
	var got []workflow.OutboxEntry
	w.eventually("entries arrive", func() bool {
		e, ok, err := s.Receive(w.ctx, 100*time.Millisecond)
		w.no(err)
		if ok && e.PRP == prp {
			got = append(got, e)
		}
		return len(got) >= n
	})
	return got
}

var outboxPromises = []promise{
	{"ShortLivedProcessesLeaveTheirEntriesToRelays", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		want := workflow.OutboxEntry{ID: w.id("e"), Kind: workflow.SendTask, Task: job(rec.ID, 2)}
		w.commit(w.Store, rec, want)
		if !w.waiting(rec.ID) {
			t.Fatal("nothing is in the outbox")
		}
		s, _ := w.as("relay")
		got := w.receive(s, rec.ID, 1)[0]
		if got.ID != want.ID || got.Kind != want.Kind || got.PRP != rec.ID || got.Task == nil || got.Task.ID != want.Task.ID {
			t.Errorf("received %+v", got)
		}
		if !w.waiting(rec.ID) {
			t.Error("a received entry counts as sent")
		}
		w.no(s.Ack(w.ctx, got))
		w.no(s.Ack(w.ctx, got))
		if w.waiting(rec.ID) {
			t.Error("an acknowledged entry is still in the outbox")
		}
	}},
	{"LongLivedProcessesKeepTheirEntries", func(t *testing.T, w *world) {
		s, _ := w.as("serve")
		rec := w.create(w.id("PRP"))
		a, b := workflow.OutboxEntry{ID: w.id("a"), Kind: workflow.SendLook}, workflow.OutboxEntry{ID: w.id("b"), Kind: workflow.SendLook}
		w.commit(s, rec, a, b)
		if ids := w.mine(s); !slices.Equal(ids, []string{a.ID, b.ID}) {
			t.Fatalf("mine: %v", ids)
		}
		other, _ := w.as("other")
		if ids := w.mine(other); len(ids) != 0 {
			t.Errorf("another process has %v", ids)
		}
		a.PRP = rec.ID
		w.no(s.Ack(w.ctx, a))
		if ids := w.mine(s); !slices.Equal(ids, []string{b.ID}) {
			t.Errorf("mine, one sent: %v", ids)
		}
		if !w.waiting(rec.ID) {
			t.Error("an unsent entry is not in the outbox")
		}
	}},
	{"ReceiveEndsWithItsContext", func(t *testing.T, w *world) {
		s, _ := w.as("relay")
		ctx, cancel := context.WithCancel(w.ctx)
		cancel()
		if _, ok, err := s.Receive(ctx, time.Minute); ok || err == nil {
			t.Errorf("received %v, %v", ok, err)
		}
	}},
	{"ReceiveWaitsAndGivesUp", func(t *testing.T, w *world) {
		s, _ := w.as("relay")
		w.eventually("there is nothing left", func() bool {
			_, ok, err := s.Receive(w.ctx, 10*time.Millisecond)
			w.no(err)
			return !ok
		})
	}},
	{"RequeuePutsTheNextInPlaceOfTheLast", func(t *testing.T, w *world) {
		s, _ := w.as("serve")
		rec := w.create(w.id("PRP"))
		first := workflow.OutboxEntry{ID: w.id("look"), Kind: workflow.SendLook, PRP: rec.ID}
		w.commit(s, rec, first)
		next := first
		next.ID, next.After = first.ID+">m", "m"
		w.no(s.Requeue(w.ctx, first, next))
		if ids := w.mine(s); len(ids) != 0 {
			t.Errorf("mine: %v", ids)
		}
		if got := w.receive(s, rec.ID, 1)[0]; got.ID != next.ID || got.After != "m" {
			t.Errorf("received %+v", got)
		}
		if err := s.Requeue(w.ctx, workflow.OutboxEntry{ID: w.id("gone"), PRP: rec.ID}, workflow.OutboxEntry{ID: w.id("after"), PRP: rec.ID}); err == nil {
			t.Error("the successor of what is not in hand was taken")
		}
	}},
	{"WhatTheDeadLeftComesHomeInOrder", func(t *testing.T, w *world) {
		s, worker := w.as("dying")
		rec := w.create(w.id("PRP"))
		var want []string
		var entries []workflow.OutboxEntry
		for _, n := range []string{"1", "2", "3"} {
			entries = append(entries, workflow.OutboxEntry{ID: w.id(n), Kind: workflow.SendLook})
			want = append(want, w.id(n))
		}
		w.commit(s, rec, entries...)
		_, err := w.Reap(w.ctx, []string{"host:9:unknown"})
		w.no(err)
		if ids := w.mine(s); !slices.Equal(ids, want) {
			t.Errorf("a living process was reaped, it has %v", ids)
		}
		if n, err := w.Reap(w.ctx, []string{worker}); err != nil || n < 3 {
			t.Fatalf("%d came home, %v", n, err)
		}
		if ids := w.mine(s); len(ids) != 0 {
			t.Errorf("the dead one still has %v", ids)
		}
		relay, _ := w.as("relay")
		var got []string
		for _, e := range w.receive(relay, rec.ID, 3) {
			got = append(got, e.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("came home as %v, left as %v", got, want)
		}
	}},
	{"AnEntryOfOnePRPIsNotOneOfAnother", func(t *testing.T, w *world) {
		a, b := w.create(w.id("A")), w.create(w.id("B"))
		w.commit(w.Store, a, workflow.OutboxEntry{ID: w.id("e"), Kind: workflow.SendLook})
		if !w.waiting(a.ID) || w.waiting(b.ID) {
			t.Errorf("in the outbox: A %v, B %v", w.waiting(a.ID), w.waiting(b.ID))
		}
	}},
	{"EntriesSurviveWhole", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		want := workflow.OutboxEntry{
			ID: w.id("e"), Kind: workflow.SendRemove, Member: "m", Lease: "l", After: "a", To: "orchestrator",
			Text: "line\n\"quoted\" and ünïcode", Queue: "agent:dev-1", Job: "j", Urgent: true,
		}
		w.commit(w.Store, rec, want)
		s, _ := w.as("relay")
		want.PRP = rec.ID
		if got := w.receive(s, rec.ID, 1)[0]; got != want {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	}},
}
