package simtest

import (
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// pace holds the world to the times that are promised. What could move, and does
// not, is noted at each look; where it has stood for too long while nothing was
// wrong with the world, a promise is broken. Each way of moving on has a limit of
// its own, so that a slow one does not hide that a fast one is gone.
type pace struct {
	since map[standing]time.Time
	now   map[standing]time.Time
}

// standing is something that stands still.
type standing struct{ what, id string }

func newPace() pace {
	return pace{map[standing]time.Time{}, map[standing]time.Time{}}
}

// What is promised. Who is silent is judged after goneAfter, and after a
// blindness reconnectMax later.
const (
	promised  = 10 * time.Second
	byProof   = 4 * time.Second
	inOutbox  = 12 * time.Second // a lease of 5 s lapses, is reaped and taken
	overdue   = 7 * time.Second  // a claim that stood still before it was saved begins with a look after 5 s
	twoLooks  = 12 * time.Second // a look, another one, and what was looked at may have moved between
	unheard   = goneAfter + 4*time.Second
	stopAfter = 5 * time.Second
)

// stands says that something stands still which may do so for a while.
func (s *Sim) stands(what, id string, limit time.Duration) {
	k := standing{what, id}
	since, known := s.pace.since[k]
	if !known {
		since = s.clock
	}
	if since.Before(s.weather.calm) {
		since = s.weather.calm
	}
	s.pace.now[k] = since
	if s.clock.Sub(since) > limit {
		s.fail("%s %s for %s (%s)", id, what, s.clock.Sub(since).Round(time.Second), s.describe(id))
	}
}

// checkPace looks at all that could move.
func (s *Sim) checkPace() {
	p := &s.pace
	if !s.kind.still && !slices.ContainsFunc(s.procs, func(p *process) bool { return p.serves && !p.dead && p.sweeper.Leads() }) {
		s.disturb(s.clock) // nobody watches yet
	}
	if s.clock.Before(s.weather.calm) || s.dark() || s.refusing() {
		clear(p.since)
		return
	}
	for i := range s.recs {
		if r := &s.recs[i]; !s.weather.damaged[r.ID] {
			s.paceOf(r)
		}
	}
	if s.kind.crowd < 100 {
		s.paceOfLeases()
	}
	var unsent []string
	s.disk.IsUnsent(func(e workflow.OutboxEntry) bool {
		if !s.weather.damaged[e.PRP] && s.kind.crowd < 100 {
			unsent = append(unsent, e.ID)
		}
		return false
	})
	slices.Sort(unsent)
	for _, id := range unsent {
		s.stands("is in the outbox", id, inOutbox)
	}
	grace := s.grace()
	for _, inc := range s.peers.order {
		if b := s.peers.known[inc]; b.owner.dead && s.kind.crowd < 100 {
			s.stands("is dead and remembered", inc, unheard+grace+2*time.Second)
		}
	}
	for _, proc := range s.procs {
		for _, r := range proc.runs {
			if rec, _ := s.disk.Peek(r.PRP); r.claimed && !r.halted && !r.saved && !s.weather.damaged[r.PRP] && !rec.Holds(r.Run) {
				s.stands("runs what it does not hold", r.ID, stopAfter)
			}
		}
	}
	if s.kind.crowd < 100 && !s.kind.still {
		for _, t := range s.broker.all {
			r, _ := s.disk.Peek(t.order.PRP)
			if t.state == tasks.Active && t.owner == nil {
				s.weather.masked = s.clock
			}
			if job := r.Job(); s.served(t.queue) == s.awaited(t.queue) && (t.state == tasks.Pending || t.state == tasks.Retrying) && !s.weather.damaged[r.ID] && (job == nil || job.ID != t.id) {
				s.stands("is superseded and still waits", t.id, unheard+grace+8*time.Second)
			}
		}
	}
	p.since, p.now = p.now, p.since
	clear(p.now)
}

// grace is what a blindness adds to the time in which who is silent is judged.
func (s *Sim) grace() time.Duration {
	const past = 30 * time.Second
	if s.dim() && s.clock.Sub(s.weather.muteUntil) < past || s.clock.Sub(s.weather.blinded) < past {
		return reconnectMax
	}
	return 0
}

// paceOf looks at one PRP.
func (s *Sim) paceOf(r *workflow.Record) {
	if s.lifecycleEnds(r.State) {
		return
	}
	job, holder := r.Job(), r.Holder()
	switch {
	case holder != nil:
		if p := s.holderOf(holder); p == nil || p.dead {
			limit := unheard + s.grace()
			if s.kind.lookup {
				limit = byProof
			}
			s.stands("is held by a dead process", r.ID, limit)
		} else if !s.kind.still && !slices.ContainsFunc(p.runs, func(x *run) bool { return x.ID == holder.Run }) {
			s.stands("is held and not run", r.ID, twoLooks)
		}
	case job != nil && s.couldBeClaimed(r):
		limit := promised
		if t := s.broker.tasks[job.ID]; t != nil && t.state == tasks.Active { // by one who is silent, and may have it in hand
			limit = unheard + s.grace() + 4*time.Second
		} else if (t == nil || t.state == tasks.Archived) && s.clock.Sub(s.weather.masked) < promised {
			limit = unheard + s.grace() + promised // a task of one who is silent was counted in its place
		} else if !s.kind.lookup && job.Agent != "" && !s.lives(job.Agent) {
			limit = unheard + s.grace() + 4*time.Second
		}
		s.stands("is not claimed, and somebody idles", r.ID, limit)
	case r.Stage.Merge != nil && !r.Stage.Merge.Granted:
		s.paceOfLease(r)
	case len(r.BlockedBy) > 0 && !slices.ContainsFunc(r.DependsOn, func(id string) bool {
		d, _ := s.disk.Peek(id)
		return d.State != "complete" || s.weather.damaged[id]
	}):
		s.stands("waits for what is complete", r.ID, inOutbox)
	}
	if at := r.Stage.Deadline; !at.IsZero() && !s.clock.Before(at) {
		s.stands("is overdue", r.ID, overdue)
	}
}

func (s *Sim) paceOfLease(r *workflow.Record) {
	m := r.Stage.Merge
	line := s.disk.Lease(m.Lease)
	switch at := slices.Index(line, m.Member); {
	case at < 0:
		s.stands("wants the lease and is not in line", r.ID, promised)
	case at < m.Capacity:
		s.stands("owns the lease and is not told", r.ID, promised)
	}
}

// repos are the repositories of a world.
var repos = []string{"repo", "/srv/x"}

// paceOfLeases looks for leases that nobody wants.
func (s *Sim) paceOfLeases() {
	for _, lease := range repos {
		for _, member := range s.disk.Lease(lease) {
			d, known := s.disk.Peek(workflow.MemberPRP(member))
			if !s.weather.damaged[d.ID] && (!known || d.Stage.Merge == nil || d.Stage.Merge.Member != member) {
				s.stands("is on a lease that it does not want", member, promised)
			}
		}
	}
}

// couldBeClaimed says whether somebody idles who is to have the job.
func (s *Sim) couldBeClaimed(r *workflow.Record) bool {
	job, retry := r.Job(), r.Stage.Work.Retry
	if s.kind.still && job.Agent == "" || s.stuck(job.Agent) {
		return false
	}
	if retry != nil && retry.At.After(s.clock) && !retry.Parked {
		return false
	}
	if job.Agent == "" && s.broker.paused[job.Queue] {
		return false
	}
	waits := retry != nil && retry.At.After(s.clock)
	for _, p := range s.procs {
		for _, w := range p.workers {
			a := w.agent
			if p.dead || p.draining || a.Role != job.Role || !w.rests || p.poor(a.Name) || s.broker.paused[tasks.AgentQueue(a.Name, job.Priority)] {
				continue
			}
			switch {
			case a.Name == job.Agent:
				if !waits {
					return true
				}
			case s.kind.still: // nobody shares
			case !s.takes(job.Agent, job.Queue), !job.Sticky && retry == nil && !p.busy(a.Name):
				return true
			}
		}
	}
	return false
}

// busy says whether an agent has a run in hand.
func (p *process) busy(agent string) bool {
	return slices.ContainsFunc(p.runs, func(r *run) bool { return r.Agent == agent })
}

// awaited says whether somebody idles who takes from a queue.
func (s *Sim) awaited(queue string) bool {
	return !s.broker.paused[queue] && slices.ContainsFunc(s.procs, func(p *process) bool {
		return !p.dead && !p.draining && slices.ContainsFunc(p.workers, func(w *worker) bool {
			return w.rests && !p.poor(w.agent.Name) && slices.Contains(w.queues, queue)
		})
	})
}

// stuck says whether the agent's process has a run in hand whose record cannot
// be read: it keeps its place until it is heard.
func (s *Sim) stuck(agent string) bool {
	return agent != "" && len(s.weather.damaged) > 0 && slices.ContainsFunc(s.procs, func(p *process) bool {
		return !p.dead && slices.ContainsFunc(p.runs, func(r *run) bool { return r.Agent == agent && s.weather.damaged[r.PRP] })
	})
}

// lives says whether a process has the agent.
func (s *Sim) lives(agent string) bool {
	return slices.ContainsFunc(s.procs, func(p *process) bool {
		return !p.dead && slices.ContainsFunc(p.workers, func(w *worker) bool { return w.agent.Name == agent })
	})
}

// takes says whether an agent takes work from a queue of its own.
func (s *Sim) takes(agent, queue string) bool {
	return !s.broker.paused[queue] && slices.ContainsFunc(s.procs, func(p *process) bool {
		return !p.dead && !p.draining && !p.poor(agent) && slices.ContainsFunc(p.workers, func(w *worker) bool { return w.agent.Name == agent })
	})
}

func (s *Sim) holderOf(h *workflow.Holder) *process {
	i := slices.IndexFunc(s.procs, func(p *process) bool { return p.incarnation == h.Incarnation })
	if i < 0 {
		return nil
	}
	return s.procs[i]
}
