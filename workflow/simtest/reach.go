package simtest

import (
	"slices"
	"strings"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// checkReach holds a PRP to what must be true at every moment, also between two
// calls of one process: what it waits for is on its way to somebody.
func (s *Sim) checkReach(id string) {
	r, ok := s.disk.Peek(id)
	if !ok {
		return
	}
	if job := r.Job(); job != nil && r.Holder() == nil && !s.touched[job.ID] && !s.published(job.ID) {
		s.fail("%s: the task of the job %s is neither in the outbox nor in the broker", id, job.ID)
	}
	if m := r.Stage.Merge; m != nil && !m.Granted && s.weather.rolls == 0 && !s.queued(m) {
		s.fail("%s waits for the lease, and does not stand in line", id)
	}
}

func (s *Sim) published(job string) bool {
	if t := s.broker.tasks[job]; t != nil && t.state != tasks.Archived {
		return true
	}
	return s.disk.IsUnsent(func(e workflow.OutboxEntry) bool { return e.Task != nil && e.Task.ID == job })
}

func (s *Sim) queued(m *workflow.Merge) bool {
	return slices.Contains(s.disk.Lease(m.Lease), m.Member) ||
		s.disk.IsUnsent(func(e workflow.OutboxEntry) bool { return e.Kind == workflow.SendAcquire && e.Member == m.Member })
}

// lag is how much earlier than it is saved something may have been decided.
const lag = 20 * time.Second

// checkLease says that no more have a merge lease than may, and that who merges
// has it.
func (s *Sim) checkLease(before, after workflow.Record) {
	st, _ := s.lifecycle.State(after.State)
	m := after.Stage.Merge
	if was := before.Stage.Merge; was != nil && (m == nil || m.Member != was.Member) && slices.Contains(s.disk.Lease(was.Lease), was.Member) &&
		!s.disk.IsUnsent(func(e workflow.OutboxEntry) bool { return e.Kind == workflow.SendRelease && e.Member == was.Member }) {
		s.fail("%s leaves the lease %s, and nobody gives it back", after.ID, was.Lease)
	}
	switch {
	case m == nil:
		if st.Capacity > 0 && after.Job() != nil && s.repoOf(after) != "" && before.Job() == nil {
			s.fail("%s is published in %s without the merge lease", after.ID, after.State)
		}
		return
	case m.Lease != s.repoOf(after) && before.Stage.Merge == nil && after.Repo != "":
		s.fail("%s: the lease %q of the repository %q", after.ID, m.Lease, after.Repo)
	case m.Capacity != st.Capacity:
		s.fail("%s: the lease is for %d, the state %s for %d", after.ID, m.Capacity, after.State, st.Capacity)
	}
	if h := after.Holder(); h != nil && (before.Holder() == nil || before.Holder().Run != h.Run) && s.clock.Sub(s.weather.rolled) > lag {
		if line := s.disk.Lease(m.Lease); !slices.Contains(line[:min(len(line), m.Capacity)], m.Member) {
			s.fail("%s: the run %s begins without the merge lease", after.ID, h.Run)
		}
	}
	isNew := m.Granted && (before.Stage.Merge == nil || !before.Stage.Merge.Granted)
	if line := s.disk.Lease(m.Lease); isNew && s.clock.Sub(s.weather.rolled) > 5*time.Second && !slices.Contains(line[:min(len(line), m.Capacity)], m.Member) {
		s.fail("%s is granted the lease %s, and does not own it", after.ID, m.Lease)
	}
	if s.weather.rolls > 0 {
		return // who had it is found out before he begins, and before what he did counts
	}
	granted, held := 0, 0
	s.recs2 = s.disk.Peeks(s.recs2[:0])
	for i := range s.recs2 {
		if o := s.recs2[i].Stage.Merge; o != nil && o.Lease == m.Lease && o.Granted {
			granted++
			if s.recs2[i].Holder() != nil {
				held++
			}
		}
	}
	if isNew && granted > m.Capacity || held > m.Capacity {
		s.fail("%d have the lease %s, %d of them run", granted, m.Lease, held)
	}
}

// repoOf is the repository of a PRP in one spelling, as far as it is known.
func (s *Sim) repoOf(r workflow.Record) string {
	switch r.Repo {
	case "repo":
		return "repo"
	case "":
	default:
		return "/srv/x"
	}
	for _, inc := range s.peers.order {
		b := s.peers.known[inc]
		if b.left || s.peers.gone(b) || b.first.Add(3*time.Second).After(s.clock) || s.clock.Sub(b.at) > 4*time.Second {
			continue
		}
		for _, a := range b.shown.Agents {
			if a.Repo != "" {
				return "/srv/x"
			}
		}
	}
	return ""
}

// checkResult says that a result counts once, and only that of the holder, who
// had the merge lease where one is needed.
func (s *Sim) checkResult(before, after workflow.Record) {
	h, m := before.Holder(), before.Stage.Merge
	switch {
	case h == nil || h.Run != after.Delivered:
		s.fail("%s: the result of %s counts, who does not hold the job", after.ID, after.Delivered)
	case s.want.counted[after.Delivered]:
		s.fail("%s: the result of %s counts twice", after.ID, after.Delivered)
	case m != nil && s.clock.Sub(s.weather.rolled) > lag:
		line := s.disk.Lease(m.Lease)
		if !slices.Contains(line[:min(len(line), m.Capacity)], m.Member) {
			s.fail("%s: the result of %s counts, who does not have the merge lease", after.ID, after.Delivered)
		}
	}
	s.want.counted[after.Delivered] = true
}

// checkHalted says that only what is not current is stopped.
func (s *Sim) checkHalted(r *run) {
	if rec, _ := s.disk.Peek(r.PRP); rec.Holds(r.Run) && s.weather.rolls == 0 {
		s.fail("%s: the run %s is stopped, and holds its job", r.PRP, r.ID)
	}
}

// checkRoute says that a job goes to an agent that takes work, and to the one
// that had the PRP before, where it does.
func (s *Sim) checkRoute(before, after workflow.Record, c workflow.Change) {
	job := after.Job()
	if job == nil || before.Job() != nil && before.Job().ID == job.ID || len(c.History) == 0 {
		return
	}
	last := s.want.of[after.ID].agents[job.Role]
	if w := before.Stage.Work; w != nil && w.Retry != nil && w.Retry.Failed == last {
		last = "" // its run failed: another one is tried
	}
	if old := before.Job(); old != nil && old.Sticky && old.Role == job.Role && job.Agent != old.Agent && last == old.Agent && s.steady(old.Agent, old.Priority) {
		s.fail("%s was to go back to %s, who takes work, and goes to %q", after.ID, old.Agent, job.Agent)
	}
	shared := strings.HasSuffix(c.History[len(c.History)-1].Reason, "is busy")
	if last != "" && !shared && job.Agent != last && s.steady(last, job.Priority) {
		s.fail("%s goes to %q, %s had it and takes work", after.ID, job.Agent, last)
	}
	if job.Agent == last && last != "" && !shared && !job.Sticky && s.steady(last, job.Priority) {
		s.fail("%s goes back to %s, and may be moved", after.ID, last)
	}
	if job.Agent == "" || s.steadily(job.Agent, job.Priority, true) {
		for _, p := range s.procs {
			for _, a := range p.agents {
				if a.Role == job.Role && a.Name != job.Agent && s.steady(a.Name, job.Priority) {
					s.fail("%s goes to %q, %s takes work", after.ID, job.Agent, a.Name)
				}
			}
		}
	}
}

// steady says whether an agent takes work, and has for a while, so that
// everybody can know.
func (s *Sim) steady(agent, priority string) bool { return s.steadily(agent, priority, false) }

// steadily says the same, or with poor the opposite.
func (s *Sim) steadily(agent, priority string, poor bool) bool {
	const known = 5 * time.Second // two heartbeats, and a router's snapshot
	queue := tasks.AgentQueue(agent, priority)
	if s.clock.Sub(s.weather.calm) < known || s.clock.Sub(s.broker.changed[queue]) < known {
		return false
	}
	for _, inc := range s.peers.order {
		b := s.peers.known[inc]
		if !slices.ContainsFunc(b.shown.Agents, func(a tasks.Agent) bool { return a.Name == agent }) {
			continue
		}
		p := b.owner
		if p.dead || p.draining || b.left || s.clock.Sub(b.first) < known || s.clock.Sub(b.at) > 3*time.Second {
			return false
		}
		h := p.health(agent)
		if s.clock.Sub(h.since) < known || s.clock.After(h.until) && s.clock.Sub(h.until) < known {
			return false
		}
		return (p.poor(agent) || s.broker.paused[queue]) == poor
	}
	return false
}

// checkTaken says that a job is taken only from runs that are over, and from
// processes that could be thought gone.
func (s *Sim) checkTaken(id string, h *workflow.Holder) {
	for _, p := range s.procs {
		if p.incarnation != h.Incarnation || s.peers.mayBeJudged(p, h.Since) {
			continue
		}
		if slices.ContainsFunc(p.runs, func(r *run) bool { return r.ID == h.Run && !r.halted }) {
			s.fail("%s was taken from %s, who lives and runs it", id, p)
		}
	}
}
