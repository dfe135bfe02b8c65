package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// commit saves a change with entries to be sent, as a process.
func (w *world) commit(s workflow.Store, rec workflow.Record, entries ...workflow.OutboxEntry) workflow.Record {
	w.t.Helper()
	c := w.move(rec, rec.State)
	for i := range entries {
		entries[i].PRP = rec.ID
	}
	c.Outbox = entries
	return w.apply(s, c)
}

// looks are entries of a name each, of the simplest kind.
func (w *world) looks(prp string, names ...string) []workflow.OutboxEntry {
	var entries []workflow.OutboxEntry
	for _, n := range names {
		entries = append(entries, workflow.OutboxEntry{ID: w.id(n), Kind: workflow.SendLook, PRP: prp})
	}
	return entries
}

func ids(entries []workflow.OutboxEntry) []string {
	list := make([]string, len(entries))
	for i, e := range entries {
		list[i] = e.ID
	}
	return list
}

func (w *world) mine(s workflow.Store) []string {
	w.t.Helper()
	entries, err := s.Mine(w.ctx)
	w.no(err)
	return ids(entries)
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
		if w.waiting(rec.ID) {
			t.Error("something is in the outbox before it was asked for")
		}
		want := workflow.OutboxEntry{
			ID: w.id("e"), Kind: workflow.SendTask, Task: job(rec.ID, 2), Member: "m", Lease: "l", After: "a", To: "orchestrator",
			Text: "line\n\"quoted\" and ünïcode", Queue: "agent:dev-1", Job: "j", Urgent: true,
		}
		w.commit(w.Store, rec, want)
		want.PRP = rec.ID
		if !w.waiting(rec.ID) {
			t.Fatal("nothing is in the outbox")
		}
		s, _ := w.as("relay")
		got := w.receive(s, rec.ID, 1)[0]
		if text(got) != text(want) {
			t.Errorf("received %s\nwant %s", text(got), text(want))
		}
		if !w.waiting(rec.ID) || !slices.Contains(w.mine(s), want.ID) {
			t.Error("a received entry counts as sent")
		}
		w.no(s.Ack(w.ctx, got))
		w.no(s.Ack(w.ctx, got))
		if w.waiting(rec.ID) || slices.Contains(w.mine(s), want.ID) {
			t.Error("an acknowledged entry is still in the outbox")
		}
	}},
	{"LongLivedProcessesKeepTheirEntries", func(t *testing.T, w *world) {
		s, _ := w.as("serve")
		rec := w.create(w.id("PRP"))
		two := w.looks(rec.ID, "a", "b")
		rec = w.commit(s, rec, two...)
		three := append(two, w.looks(rec.ID, "c")...)
		w.commit(s, rec, three[2])
		if got := w.mine(s); !slices.Equal(got, ids(three)) {
			t.Fatalf("mine: %v", got)
		}
		other, _ := w.as("other")
		if got := w.mine(other); len(got) != 0 {
			t.Errorf("another process has %v", got)
		}
		w.no(other.Ack(w.ctx, three[0])) // not its own
		if got := w.mine(s); !slices.Equal(got, ids(three)) {
			t.Errorf("another process has acknowledged ours: %v", got)
		}
		w.no(s.Ack(w.ctx, three[1]))
		if got := w.mine(s); !slices.Equal(got, []string{three[0].ID, three[2].ID}) {
			t.Errorf("mine, one sent: %v", got)
		}
		if !w.waiting(rec.ID) {
			t.Error("an unsent entry is not in the outbox")
		}
		w.no(s.Ack(w.ctx, three[0]))
		w.no(s.Ack(w.ctx, three[2]))
		if w.waiting(rec.ID) || len(w.mine(s)) != 0 {
			t.Error("all is sent, and something is in the outbox")
		}
	}},
	{"TheSharedListIsFIFO", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		all := w.looks(rec.ID, "d", "a", "c", "b")
		rec = w.commit(w.Store, rec, all[0], all[1])
		w.commit(w.Store, rec, all[2], all[3])
		s, _ := w.as("relay")
		if got := ids(w.receive(s, rec.ID, 4)); !slices.Equal(got, ids(all)) {
			t.Errorf("came as %v, went as %v", got, ids(all))
		}
	}},
	{"WhoWaitsIsGivenWhatComes", func(_ *testing.T, w *world) {
		s, _ := w.as("relay")
		rec := w.create(w.id("PRP"))
		got := make(chan string, 1)
		go func() {
			for {
				e, ok, err := s.Receive(w.ctx, 20*time.Second)
				if err != nil || ok && e.PRP == rec.ID {
					got <- e.ID
					return
				}
			}
		}()
		e := w.looks(rec.ID, "e")
		w.commit(w.Store, rec, e...)
		if id := <-got; id != e[0].ID {
			w.t.Errorf("received %q", id)
		}
	}},
	{"ReceiveEndsWithItsContext", func(t *testing.T, w *world) {
		s, _ := w.as("relay")
		ctx, cancel := context.WithCancel(w.ctx)
		cancel()
		w.eventually("it ends without an entry", func() bool {
			_, ok, err := s.Receive(ctx, time.Minute)
			return !ok && err != nil
		})
	}},
	{"ReceiveWaitsAndGivesUp", func(_ *testing.T, w *world) {
		s, _ := w.as("relay")
		w.eventually("there is nothing left", func() bool {
			_, ok, err := s.Receive(w.ctx, 10*time.Millisecond)
			w.no(err)
			return !ok
		})
	}},
	{"RequeuePutsTheNextAtTheEnd", func(t *testing.T, w *world) {
		s, _ := w.as("serve")
		rec := w.create(w.id("PRP"))
		first := w.looks(rec.ID, "look")[0]
		rec = w.commit(s, rec, first)
		between := w.looks(rec.ID, "between")[0]
		w.commit(w.Store, rec, between)
		next := first
		next.ID, next.After = first.ID+">m", "m"
		w.no(s.Requeue(w.ctx, first, next))
		if got := w.mine(s); len(got) != 0 {
			t.Errorf("mine: %v", got)
		}
		got := w.receive(s, rec.ID, 2)
		if !slices.Equal(ids(got), []string{between.ID, next.ID}) || text(got[1]) != text(next) {
			t.Errorf("received %s", text(got))
		}
	}},
	{"TheSuccessorOfWhatIsNotInHandIsRefused", func(t *testing.T, w *world) {
		s, _ := w.as("serve")
		other, _ := w.as("other")
		rec := w.create(w.id("PRP"))
		first := w.looks(rec.ID, "first")[0]
		w.commit(s, rec, first)
		second := w.looks(rec.ID, "second")[0]
		w.is(other.Requeue(w.ctx, first, second), workflow.ErrNotFound)
		if got := w.mine(s); !slices.Equal(got, []string{first.ID}) {
			t.Errorf("mine: %v", got)
		}
		w.no(s.Ack(w.ctx, first))
		w.is(s.Requeue(w.ctx, first, second), workflow.ErrNotFound)
		if w.waiting(rec.ID) {
			t.Error("the successor was taken")
		}
	}},
	{"ADeadProcessesEntriesComeHomeInOrder", func(t *testing.T, w *world) {
		s, worker := w.as("dying")
		rec := w.create(w.id("PRP"))
		all := w.looks(rec.ID, "3", "1", "2", "later")
		rec = w.commit(s, rec, all[:3]...)
		w.commit(w.Store, rec, all[3])
		_, err := w.Reap(w.ctx, []string{"host:9:unknown", ""})
		w.no(err)
		if got := w.mine(s); !slices.Equal(got, ids(all[:3])) {
			t.Errorf("a living process was reaped, it has %v", got)
		}
		if n, err := w.Reap(w.ctx, []string{worker}); err != nil || n < 3 {
			t.Fatalf("%d came home, %v", n, err)
		}
		_, err = w.Reap(w.ctx, []string{worker})
		w.no(err)
		if got := w.mine(s); len(got) != 0 || !w.waiting(rec.ID) {
			t.Errorf("the dead one still has %v", got)
		}
		relay, _ := w.as("relay")
		if got := ids(w.receive(relay, rec.ID, 4)); !slices.Equal(got, ids(all)) {
			t.Errorf("came home as %v, left as %v", got, ids(all))
		}
	}},
	{"WhatADeadRelayTookComesHome", func(t *testing.T, w *world) {
		rec := w.create(w.id("PRP"))
		e := w.looks(rec.ID, "e")
		w.commit(w.Store, rec, e...)
		first, worker := w.as("dying")
		w.receive(first, rec.ID, 1)
		if _, err := w.Reap(w.ctx, []string{worker}); err != nil || !w.waiting(rec.ID) {
			t.Fatalf("it is lost, %v", err)
		}
		second, _ := w.as("relay")
		_ = first // it lives on, and may take it again: both are right
		w.eventually("one of them is given it again", func() bool {
			for _, s := range []workflow.Store{first, second} {
				if e, ok, err := s.Receive(w.ctx, 50*time.Millisecond); err == nil && ok && e.PRP == rec.ID {
					return true
				}
			}
			return false
		})
	}},
	{"AnEntryOfOnePRPIsNotOneOfAnother", func(t *testing.T, w *world) {
		a, b := w.create(w.id("A")), w.create(w.id("B"))
		w.commit(w.Store, a, w.looks(a.ID, "e")...)
		if !w.waiting(a.ID) || w.waiting(b.ID) {
			t.Errorf("in the outbox: A %v, B %v", w.waiting(a.ID), w.waiting(b.ID))
		}
	}},
}
