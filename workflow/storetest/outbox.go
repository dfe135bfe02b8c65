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

// waiting says whether any of these entries of a PRP is still to be sent.
func (w *world) waiting(prp string, entries ...string) bool {
	w.t.Helper()
	var refs []workflow.OutboxRef
	for _, id := range entries {
		refs = append(refs, workflow.OutboxRef{PRP: prp, ID: id})
	}
	unsent, err := w.Unsent(w.ctx, refs)
	w.no(err)
	if len(unsent) != len(refs) {
		w.t.Fatalf("%d answers to %d questions", len(unsent), len(refs))
	}
	return slices.Contains(unsent, true)
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
		want := workflow.OutboxEntry{
			ID: w.id("e"), Kind: workflow.SendTask, Task: job(rec.ID, 2), Member: "m", Lease: "l", After: "a", To: "orchestrator",
			Text: "line\n\"quoted\" and ünïcode", Queue: "agent:dev-1", Job: "j", Urgent: true,
		}
		if w.waiting(rec.ID, want.ID) {
			t.Error("it is in the outbox before it was put there")
		}
		w.commit(w.Store, rec, want)
		want.PRP = rec.ID
		if !w.waiting(rec.ID, want.ID) {
			t.Fatal("nothing is in the outbox")
		}
		s, _ := w.as("relay")
		got := w.receive(s, rec.ID, 1)[0]
		if text(got) != text(want) {
			t.Errorf("received %s\nwant %s", text(got), text(want))
		}
		if !w.waiting(rec.ID, want.ID) || !slices.Contains(w.mine(s), want.ID) {
			t.Error("a received entry counts as sent")
		}
		w.no(s.Ack(w.ctx, got))
		w.no(s.Ack(w.ctx, got))
		if w.waiting(rec.ID, want.ID) || slices.Contains(w.mine(s), want.ID) {
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
		if !w.waiting(rec.ID, three[0].ID) || w.waiting(rec.ID, three[1].ID) {
			t.Error("an unsent entry is not in the outbox, or one that was sent is")
		}
		w.no(s.Ack(w.ctx, three[0]))
		w.no(s.Ack(w.ctx, three[2]))
		if w.waiting(rec.ID, ids(three)...) || len(w.mine(s)) != 0 {
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
		if w.waiting(rec.ID, first.ID) || !w.waiting(rec.ID, next.ID) {
			t.Error("what is to be sent is not the next one")
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
		if w.waiting(rec.ID, second.ID) {
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
		if got := w.mine(s); len(got) != 0 || !w.waiting(rec.ID, all[1].ID) {
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
		if _, err := w.Reap(w.ctx, []string{worker}); err != nil || !w.waiting(rec.ID, e[0].ID) {
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
	{"WhatIsUnsentIsAskedEntryByEntry", func(t *testing.T, w *world) {
		a, b := w.create(w.id("A")), w.create(w.id("B"))
		e := append(w.looks(a.ID, "1", "2"), w.looks(b.ID, "3")...)
		w.commit(w.Store, a, e[0], e[1])
		s, _ := w.as("serve")
		w.commit(s, b, e[2])
		got, err := w.Unsent(w.ctx, []workflow.OutboxRef{{PRP: b.ID, ID: e[2].ID}, {PRP: a.ID, ID: w.id("4")}, {PRP: a.ID, ID: e[1].ID}, {PRP: a.ID, ID: e[0].ID}})
		w.no(err)
		if !slices.Equal(got, []bool{true, false, true, true}) {
			t.Errorf("unsent: %v", got)
		}
		if got, err := w.Unsent(w.ctx, nil); len(got) != 0 || err != nil {
			t.Errorf("unsent of none: %v, %v", got, err)
		}
		if w.waiting(w.id("unheard of"), e[0].ID) && w.waiting(w.id("unheard of either"), e[0].ID) && w.waiting(w.id("nor this"), w.id("4")) {
			t.Error("what nobody has put there is unsent")
		}
	}},
	{"WhatIsParkedIsUnsentUntilWhoKnowsItsKindAdoptsIt", func(t *testing.T, w *world) {
		s, worker := w.as("old")
		rec := w.create(w.id("PRP"))
		all := w.looks(rec.ID, "1", "2", "3")
		known, kind := all[0], w.id("of the future")
		all[1].Kind, all[2].Kind = kind, kind
		w.commit(s, rec, all...)
		other, _ := w.as("new")
		w.no(other.Park(w.ctx, all[0])) // not its own
		for range 2 {
			w.no(s.Park(w.ctx, all[1]))
			w.no(s.Park(w.ctx, all[2]))
		}
		if got := w.mine(s); !slices.Equal(got, []string{known.ID}) {
			t.Errorf("mine: %v", got)
		}
		_, err := w.Reap(w.ctx, []string{worker})
		w.no(err)
		w.no(other.Adopt(w.ctx, []string{w.id("another kind")}))
		if got := w.mine(other); len(got) != 0 || !w.waiting(rec.ID, all[1].ID) || !w.waiting(rec.ID, all[2].ID) {
			t.Errorf("of other kinds it adopted %v", got)
		}
		w.no(other.Adopt(w.ctx, []string{"task", kind}))
		if got := w.mine(other); !slices.Equal(got, []string{all[1].ID, all[2].ID}) {
			t.Errorf("adopted %v", got)
		}
		w.no(other.Ack(w.ctx, all[1]))
		w.no(other.Ack(w.ctx, all[2]))
		if w.waiting(rec.ID, all[1].ID, all[2].ID) {
			t.Error("it was sent, and is unsent")
		}
	}},
}
