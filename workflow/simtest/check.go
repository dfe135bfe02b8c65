package simtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prpflow/prpflow/workflow"
)

// checkChange holds each saved change to what must be true of every record at
// every time.
func (s *Sim) checkChange(before, after workflow.Record, c workflow.Change) {
	id := after.ID
	if now, _ := s.disk.Peek(id); before.ID != "" && now.Version == before.Version {
		return // the same change once more
	}
	if s.Trace {
		s.say("%s: %s -> %s, version %d, fence %d%s", id, before.State, after.State, after.Version, after.Fence, events(c))
	}
	for _, e := range c.Outbox {
		if e.Kind == workflow.SendMessage && !s.told[e.ID] {
			s.told[e.ID] = false // it is due
		}
	}
	for _, h := range c.History {
		switch {
		case h.Event != "redeliver" && (h.Event != "fail" || h.Actor != workflow.ActorEngine):
		case strings.Contains(h.Reason, "deadline"):
		case before.Holder != nil:
			s.checkTaken(id, before.Holder)
		case strings.Contains(h.Reason, "in no queue") && !s.touched[before.Job.ID]:
			s.fail("%s: a publication was lost", id)
		}
	}
	if after.Delivered != before.Delivered {
		s.checkResult(before, after)
	}
	if after.Granted && !before.Granted {
		s.checkLease(after)
	}
	if after.Version != before.Version+1 {
		s.fail("%s: version %d follows %d", id, after.Version, before.Version)
	}
	st, ok := s.lifecycle.State(after.State)
	switch {
	case !ok:
		s.fail("%s is in the state %q", id, after.State)
	case after.Fence < before.Fence:
		s.fail("%s: fence %d follows %d", id, after.Fence, before.Fence)
	case after.Job != nil && before.Job != nil && after.Job.ID != before.Job.ID && after.Fence == before.Fence:
		s.fail("%s: another job under the same fence %d", id, after.Fence)
	case after.Holder != nil && after.Job == nil:
		s.fail("%s is held without a job", id)
	case st.Terminal && (after.Job != nil || after.Holder != nil || after.Lease != ""):
		s.fail("%s is %s and still has a job, a holder or a lease", id, after.State)
	case st.Working() && !after.Paused && after.Job == nil && after.Awaits == "" && (after.Lease == "" || after.Granted):
		s.fail("%s is in %s without a job or a reason to wait", id, after.State)
	case after.Job != nil && after.Job.Fence != after.Fence:
		s.fail("%s: fence %d, its job has %d", id, after.Fence, after.Job.Fence)
	}
	if h, g := before.Holder, after.Holder; h != nil && g != nil && h.Run != g.Run && after.Fence == before.Fence && s.inHand(h) {
		s.fail("%s: run %s took the job from run %s, which goes on", id, g.Run, h.Run)
	}
}

// inHand says whether a living process has the holder's run, claimed.
func (s *Sim) inHand(h *workflow.Holder) bool {
	for _, p := range s.procs {
		if p.dead || p.incarnation != h.Incarnation {
			continue
		}
		for _, r := range p.runs {
			if r.ID == h.Run && r.claimed && !r.halted {
				return true
			}
		}
	}
	return false
}

func events(c workflow.Change) string {
	var names []string
	for _, h := range c.History {
		names = append(names, h.Event)
	}
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// unrest says what keeps the world from being at rest, "" for nothing, and of
// which PRP or job. It is asked at every step.
func (s *Sim) unrest() (what, id string) {
	s.recs = s.disk.Peeks(s.recs[:0])
	for i := range s.recs {
		r := &s.recs[i]
		if state, _ := s.lifecycle.State(r.State); !state.Terminal && !s.blockedForGood(r.BlockedBy) {
			return "not at its end", r.ID
		}
	}
	if s.disk.IsUnsent(func(e workflow.OutboxEntry) bool { id = e.PRP; return true }) {
		return "in the outbox still", id
	}
	if live := s.broker.live(); len(live) > 0 {
		return "in the broker still", live[0]
	}
	return "", ""
}

// details is unrest in full.
func (s *Sim) details() string {
	what, id := s.unrest()
	r, known := s.disk.Peek(id)
	if !known {
		return id + " is " + what
	}
	return fmt.Sprintf("%s, in %s, is %s (paused %v, job %v, holder %v, blocked by %v)", id, r.State, what, r.Paused, r.Job, r.Holder, r.BlockedBy)
}

// blockedForGood says whether a PRP waits for one that will never complete.
func (s *Sim) blockedForGood(by []string) bool {
	return slices.ContainsFunc(by, func(id string) bool {
		d, _ := s.disk.Peek(id)
		return d.State == "cancelled" || s.blockedForGood(d.BlockedBy)
	})
}

// checkAtRest holds the world to what must be true in the end.
func (s *Sim) checkAtRest() {
	ctx := context.Background()
	st := s.disk.Store("")
	recs, _ := st.List(ctx)
	buried := map[string]bool{}
	for _, r := range recs {
		h, _ := st.History(ctx, r.ID)
		s.checkHistory(r, h)
		for _, d := range r.Dead {
			buried[d.ID] = true
		}
	}
	s.checkLetters(ctx, buried)
	for _, p := range s.procs {
		if held, _ := st.Held(ctx, p.incarnation); len(held) > 0 {
			s.fail("%v is said to hold %v", p, held)
		}
	}
	// A process that dies while it asks may leave a member behind whose PRP is
	// gone from the state; the next who asks takes it off.
	if members := s.disk.Lease("repo"); len(members) > 0 {
		for _, r := range recs {
			if slices.Contains(members, r.Member) {
				s.fail("%s still has the lease, or waits for it", r.Member)
			}
		}
		engine, err := workflow.New(workflow.Config{Store: st, Active: s.lifecycle, Nonce: func() string { return s.id("n") }})
		if err == nil {
			err = engine.Release(ctx, "repo", "nobody:0")
		}
		if left := s.disk.Lease("repo"); err != nil || len(left) > 0 {
			s.fail("the lease does not get free of %v: %v", left, err)
		}
	}
	s.checkAsked(ctx)
	for _, id := range slices.Sorted(maps.Keys(s.told)) {
		if !s.told[id] {
			s.fail("the message %s has not arrived", id)
		}
	}
}

func (s *Sim) checkHistory(r workflow.Record, h []workflow.Entry) {
	if len(h) == 0 || h[0].Event != workflow.EventSubmitted || h[0].From != "" {
		s.fail("%s: the history does not begin with its submission", r.ID)
		return
	}
	effects := map[string]string{}
	published := map[string]bool{}
	for i, e := range h {
		if i > 0 && (h[i-1].To != e.From || e.At.Before(h[i-1].At)) {
			s.fail("%s: entry %d (%s, %s to %s) does not follow %s", r.ID, i, e.Event, e.From, e.To, h[i-1].To)
		}
		if e.Job != "" && (e.From != e.To || e.Event == "evidence_refused") {
			if was, twice := effects[e.Job]; twice {
				s.fail("%s: the job %s has caused %s and %s", r.ID, e.Job, was, e.Event)
			}
			effects[e.Job] = e.Event
		}
		if e.Published != "" {
			if published[e.Published] {
				s.fail("%s: the job %s was published twice", r.ID, e.Published)
			}
			published[e.Published] = true
		}
	}
	if last := h[len(h)-1]; last.To != r.State {
		s.fail("%s is in %s, its history ends in %s", r.ID, r.State, last.To)
	}
}

// checkLetters compares the dead letters of the store, the records and the broker.
func (s *Sim) checkLetters(ctx context.Context, buried map[string]bool) {
	dead, _ := s.disk.Store("").DeadLetters(ctx)
	if len(dead) != len(buried) {
		s.fail("%d dead letters, the records have %d", len(dead), len(buried))
	}
	for _, d := range dead {
		if !buried[d.ID] {
			s.fail("the dead letter %s is in no record", d.ID)
		}
	}
}

// checkAsked holds what persons were told against the histories: what was
// granted happened once, what was refused never.
func (s *Sim) checkAsked(ctx context.Context) {
	for _, w := range s.asked {
		h, _ := s.disk.Store("").History(ctx, w.prp)
		n := 0
		for _, e := range h {
			if e.Reason == w.mark && e.Event == w.event {
				n++
			}
		}
		idle := w.event == "pause" || w.event == "resume" // twice is once
		if n > 1 || n == 1 && !w.granted || n == 0 && w.granted && !idle {
			s.fail("%s of %s (granted: %v) happened %d times", w.event, w.prp, w.granted, n)
		}
	}
}
