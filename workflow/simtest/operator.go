package simtest

import (
	"maps"
	"slices"

	"github.com/prpflow/prpflow/tasks"
)

// meddle is what an operator does with the broker's own tools: deletes or
// archives a task that waits, has an archived one run again, pauses a queue.
func (p *process) meddle() {
	s := p.sim
	b := s.broker
	if len(b.all) == 0 {
		return
	}
	t := b.all[s.rng.IntN(len(b.all))]
	s.disturb(s.clock)
	waits := t.state == tasks.Pending || t.state == tasks.Retrying
	switch n := s.rng.IntN(3); {
	case t.state == tasks.Archived && !s.served(t.queue):
	case t.state == tasks.Archived:
		s.say("an operator has %s run again", t.id)
		s.rerun[t.id] = true
		b.pend(t)
	case n == 0:
		s.say("an operator pauses %s", t.queue)
		b.paused[t.queue] = true
		b.changed[t.queue] = s.clock
	case n == 1 && waits:
		s.say("an operator deletes %s", t.id)
		s.touched[t.id] = true
		b.remove(t)
	case waits:
		s.say("an operator archives %s", t.id)
		s.touched[t.id] = true
		b.unlist(t)
		t.state = tasks.Archived
	}
}

// served says whether a living process takes tasks off a queue.
func (s *Sim) served(queue string) bool {
	return slices.ContainsFunc(s.procs, func(p *process) bool {
		return !p.dead && slices.ContainsFunc(p.workers, func(w *worker) bool { return slices.Contains(w.queues, queue) })
	})
}

// letGo resumes all queues.
func (b *broker) letGo() {
	for _, q := range slices.Sorted(maps.Keys(b.paused)) {
		delete(b.paused, q)
		b.changed[q] = b.s.clock
		b.s.ring(q)
	}
}
