package simtest

import (
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// darken begins an outage: nothing that is shared answers.
func (s *Sim) darken(d time.Duration) {
	s.darkFor, s.darkUntil = d, s.clock.Add(d)
}

func (s *Sim) dark() bool { return s.clock.Before(s.darkUntil) }

// checkReach holds a PRP to what must be true at every moment, also between two
// calls of one process: what it waits for is on its way to somebody.
func (s *Sim) checkReach(id string) {
	r, ok := s.disk.Peek(id)
	if !ok {
		return
	}
	if r.Job != nil && r.Holder == nil && !s.touched[r.Job.ID] && !s.published(r.Job.ID) {
		s.fail("%s: the task of the job %s is neither in the outbox nor in the broker", id, r.Job.ID)
	}
	if r.Lease != "" && !r.Granted && !s.queued(r) {
		s.fail("%s waits for the lease, and does not stand in line", id)
	}
}

func (s *Sim) published(job string) bool {
	if t := s.broker.tasks[job]; t != nil && t.state != tasks.Archived {
		return true
	}
	return s.disk.IsUnsent(func(e workflow.OutboxEntry) bool { return e.Task != nil && e.Task.ID == job })
}

func (s *Sim) queued(r workflow.Record) bool {
	return slices.Contains(s.disk.Lease(r.Lease), r.Member) ||
		s.disk.IsUnsent(func(e workflow.OutboxEntry) bool { return e.Kind == workflow.SendAcquire && e.Member == r.Member })
}

// checkLease says that nobody else has the lease that was just granted.
func (s *Sim) checkLease(r workflow.Record) {
	if st, _ := s.lifecycle.State(r.State); st.Capacity == 0 {
		s.fail("%s has a lease in %s", r.ID, r.State)
	}
	for _, o := range s.disk.Peeks(nil) {
		if o.ID != r.ID && o.Granted && o.Lease == r.Lease {
			s.fail("%s and %s both have the lease %s", r.ID, o.ID, r.Lease)
		}
	}
}

// checkResult says that a result counts once, and only that of the holder.
func (s *Sim) checkResult(before, after workflow.Record) {
	switch {
	case before.Holder == nil || before.Holder.Run != after.Delivered:
		s.fail("%s: the result of %s counts, who does not hold the job", after.ID, after.Delivered)
	case s.counted[after.Delivered]:
		s.fail("%s: the result of %s counts twice", after.ID, after.Delivered)
	}
	s.counted[after.Delivered] = true
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
