package simtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prpflow/prpflow/tasks"
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
		if e.Kind == workflow.SendMessage && !s.want.told[e.ID] {
			s.want.told[e.ID] = false // it is due
		}
	}
	if c.SeenVersion > 0 && c.SeenToken != before.Token {
		s.fail("%s: a change counts that was decided on a record of another past", id)
	}
	for _, h := range c.History {
		switch {
		case h.Event != "redeliver" && (h.Event != "fail" || h.Actor != workflow.ActorEngine):
		case strings.Contains(h.Reason, "deadline"):
		case before.Holder() != nil:
			s.checkTaken(id, before.Holder())
		case strings.Contains(h.Reason, "in no queue") && !s.touched[before.Job().ID]:
			s.fail("%s: a publication was lost", id)
		}
	}
	if after.Delivered != before.Delivered {
		s.checkResult(before, after)
	}
	s.follow(before, after, c)
	s.checkLease(before, after)
	s.checkRoute(before, after, c)
	s.checkDead(before, after)
	if after.Version != before.Version+1 {
		s.fail("%s: version %d follows %d", id, after.Version, before.Version)
	}
	st, ok := s.lifecycle.State(after.State)
	job, old := after.Job(), before.Job()
	switch {
	case !ok:
		s.fail("%s is in the state %q", id, after.State)
	case after.Fence < before.Fence:
		s.fail("%s: fence %d follows %d", id, after.Fence, before.Fence)
	case job != nil && old != nil && job.ID != old.ID && after.Fence == before.Fence:
		s.fail("%s: another job under the same fence %d", id, after.Fence)
	case st.Terminal && (job != nil || after.Stage.Merge != nil || len(after.Dead) > 0):
		s.fail("%s is %s and still has a job, a dead letter or a lease", id, after.State)
	case st.Working() && !after.Paused && job == nil && after.Stage.Approval == nil && (after.Stage.Merge == nil || after.Stage.Merge.Granted):
		s.fail("%s is in %s without a job or a reason to wait", id, after.State)
	case job != nil && job.Fence != after.Fence:
		s.fail("%s: fence %d, its job has %d", id, after.Fence, job.Fence)
	case after.Paused && job != nil && after.Holder() == nil:
		s.fail("%s is paused, and its job is out", id)
	case after.Paused && (old == nil || job != nil && old.ID != job.ID) && job != nil:
		s.fail("%s is paused, and published", id)
	case job != nil && (job.Type != st.Task || job.Role != st.Role):
		s.fail("%s in %s has a job %s for a %s", id, after.State, job.Type, job.Role)
	}
	if h, g := before.Holder(), after.Holder(); h != nil && g != nil && h.Run != g.Run && after.Fence == before.Fence && s.inHand(h) {
		s.fail("%s: run %s took the job from run %s, which goes on", id, g.Run, h.Run)
	}
}

// checkDead says that the store has the record's dead letters and no others.
func (s *Sim) checkDead(before, after workflow.Record) {
	if len(before.Dead)+len(after.Dead) == 0 {
		return
	}
	all, _ := s.disk.Store("").DeadLetters(context.Background())
	all = slices.DeleteFunc(all, func(l workflow.DeadLetter) bool { return l.PRP != after.ID })
	for _, l := range after.Dead {
		if !slices.Contains(all, l) {
			s.fail("%s: its dead letter %s is not in the store", after.ID, l.ID)
		}
	}
	if len(all) != len(after.Dead) {
		s.fail("%s has %d dead letters, the store %d of it", after.ID, len(after.Dead), len(all))
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
	for _, lease := range repos {
		if line := s.disk.Lease(lease); len(line) > 0 {
			return "on the lease " + lease + " still", line[0]
		}
	}
	return "", ""
}

// details is unrest in full.
func (s *Sim) details() string {
	s.recs = s.disk.Peeks(s.recs[:0])
	what, id := s.unrest()
	return id + " is " + what + " (" + s.describe(id) + ")"
}

// describe tells what is known of a PRP, or of anything else.
func (s *Sim) describe(id string) string {
	r, known := s.disk.Peek(id)
	if !known {
		return "no PRP"
	}
	text := fmt.Sprintf("in %s, paused %v, blocked by %v", r.State, r.Paused, r.BlockedBy)
	if w := r.Stage.Work; w != nil {
		text += fmt.Sprintf(", job %+v", w.Job)
		if w.Holder != nil {
			text += fmt.Sprintf(", holder %+v", *w.Holder)
		}
		if w.Retry != nil {
			text += fmt.Sprintf(", retry %+v", *w.Retry)
		}
		if t := s.broker.tasks[w.Job.ID]; t != nil {
			text += fmt.Sprintf(", task %s in %s", t.state, t.queue)
		}
	}
	if m := r.Stage.Merge; m != nil {
		text += fmt.Sprintf(", merge %+v of %v", *m, s.disk.Lease(m.Lease))
	}
	return text
}

// hear counts what a sweeper says of a PRP: it is to say it once.
func (s *Sim) hear(p *process, text string) {
	key := p.incarnation + " " + text
	if s.said[key]++; s.said[key] == 2 && strings.HasPrefix(text, "a PRP cannot be worked on") {
		s.fail("%s says it again: %s", p, text)
	}
	if strings.Contains(text, workflow.ErrBroken.Error()) {
		s.fail("%s", text)
	}
}

// checkDuty says that nothing keeps a duty from its work once nothing is wrong.
func (s *Sim) checkDuty(name string, err error) {
	if s.quiet && s.clock.Sub(s.weather.calm) > 5*time.Second && !s.dark() && !s.refusing() {
		s.fail("the duty %s fails while nothing is wrong: %v", name, err)
	}
	s.sound(err)
}

// blockedForGood says whether a PRP waits for one that will never complete.
func (s *Sim) blockedForGood(by []string) bool {
	return slices.ContainsFunc(by, func(id string) bool {
		d, known := s.disk.Peek(id)
		return !known || d.State == "cancelled" || s.blockedForGood(d.BlockedBy)
	})
}

// checkAtRest holds the world to what must be true in the end.
func (s *Sim) checkAtRest() {
	ctx := context.Background()
	st := s.disk.Store("")
	recs, _ := st.List(ctx)
	buried := map[string]workflow.DeadLetter{}
	for _, r := range recs {
		h, _ := st.History(ctx, r.ID)
		s.checkHistory(r.Record, h)
		for _, d := range r.Dead {
			buried[d.ID] = d
		}
	}
	s.checkLetters(ctx, buried)
	for _, p := range s.procs {
		if held, _ := st.Held(ctx, p.incarnation); len(held) > 0 {
			s.fail("%v is said to hold %v", p, held)
		}
	}
	for _, t := range s.broker.all {
		if r, _ := s.disk.Peek(t.order.PRP); t.state == tasks.Archived && !s.touched[t.id] && s.weather.rolls == 0 && s.lifecycleEnds(r.State) {
			s.fail("%s has ended, and its task %s is still in the archive", r.ID, t.id)
		}
	}
	s.checkAsked(ctx)
	for _, id := range slices.Sorted(maps.Keys(s.want.told)) {
		if !s.want.told[id] {
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
		if e.Job != "" && e.From != e.To {
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

func (s *Sim) lifecycleEnds(state string) bool {
	st, _ := s.lifecycle.State(state)
	return st.Terminal
}

// checkLetters compares the dead letters of the store and the records.
func (s *Sim) checkLetters(ctx context.Context, buried map[string]workflow.DeadLetter) {
	dead, _ := s.disk.Store("").DeadLetters(ctx)
	if len(dead) != len(buried) {
		s.fail("%d dead letters, the records have %d", len(dead), len(buried))
	}
	for _, d := range dead {
		if buried[d.ID] != d {
			s.fail("the dead letter %+v is in no record", d)
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
		if n > 1 || n == 1 && !w.granted || n == 0 && w.granted && !idle && !w.lost {
			s.fail("%s of %s (granted: %v) happened %d times", w.event, w.prp, w.granted, n)
		}
	}
}
