package sweep

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// page is how many items a duty takes at a time.
const page = 500

// bury publishes again what gone processes held and what waited for their agents.
func (s *Sweeper) bury(ctx context.Context, v view) error {
	if len(v.gone) == 0 {
		return nil
	}
	dead := make([]string, len(v.gone))
	for i, p := range v.gone {
		dead[i] = p.Incarnation
	}
	if _, err := s.cfg.Store.Reap(ctx, dead); err != nil {
		return err
	}
	var errs []error // of one does not keep the others waiting
	buried := map[string]time.Time{}
	for _, p := range v.gone {
		if !s.buried[p.Incarnation].Equal(p.Seen) { // by the same sight of it; it may have come back since
			done, err := s.buryOne(ctx, p, v)
			if err != nil || !done {
				errs = append(errs, named(p.Incarnation, err))
				continue // the rest at the next turn; it is not forgotten before
			}
		}
		buried[p.Incarnation] = p.Seen
	}
	s.buried = buried
	return errors.Join(errs...)
}

func (s *Sweeper) buryOne(ctx context.Context, p tasks.Process, v view) (done bool, err error) {
	held, err := s.cfg.Store.Held(ctx, p.Incarnation)
	if err != nil {
		return false, err
	}
	was := workflow.Holder{Incarnation: p.Incarnation, Since: v.now}
	lost := make([]bool, len(held))
	err = s.each(ctx, held, func(i int) (err error) {
		lost[i], err = s.cfg.Engine.Lose(ctx, held[i], was, "the process "+p.Incarnation+" is gone")
		lost[i] = lost[i] || err != nil
		return err
	})
	if err != nil {
		return false, err
	}
	for _, a := range p.Agents {
		if err := s.releaseActive(ctx, a, v); err != nil {
			return false, err
		}
		if v.agents[a.Name] {
			continue // a process of that name serves the queues
		}
		for _, q := range tasks.AgentQueues(a.Name) {
			done, err := s.empty(ctx, q, "the agent "+a.Name+" is gone", anyJob, tasks.Pending, tasks.Retrying, tasks.Scheduled)
			if err != nil || !done {
				return false, err
			}
		}
	}
	if slices.Contains(lost, false) { // it claimed after it was seen last, and died then: a later sight takes that
		return false, nil
	}
	return true, s.cfg.Registry.Forget(ctx, p)
}

// releaseActive looks at the tasks that a gone process has left active: the
// broker would keep them until it notices the death.
func (s *Sweeper) releaseActive(ctx context.Context, a tasks.Agent, v view) error {
	for _, q := range append(tasks.AgentQueues(a.Name), tasks.RoleQueue(a.Role)) {
		jobs, err := s.cfg.Broker.List(ctx, q, tasks.Active, 0, page)
		if err != nil {
			return err
		}
		jobs = slices.DeleteFunc(jobs, func(job string) bool { return v.jobs[job] })
		if err := s.rehome(ctx, q, jobs, "the agent "+a.Name+" died before it began", anyJob); err != nil {
			return err
		}
	}
	return nil
}

// anyJob is the choice of who takes all.
func anyJob(workflow.Record) bool { return true }

// empty takes what waits in a queue to those who can do it, a page after the
// other for one turn. done says that nothing of the kind is left.
func (s *Sweeper) empty(ctx context.Context, queue, reason string, choose func(workflow.Record) bool, states ...tasks.TaskState) (done bool, err error) {
	began := s.cfg.Clock()
	seen := map[string]bool{} // PRPs: one whose job comes back to the queue has nowhere else to go
	for _, in := range states {
		for skip := 0; ; {
			jobs, err := s.cfg.Broker.List(ctx, queue, in, skip, page)
			if err != nil {
				return false, err
			}
			fresh := unseen(jobs, seen)
			if len(fresh) == 0 && len(jobs) < page {
				break
			}
			if err := s.rehome(ctx, queue, fresh, reason, choose); err != nil {
				return false, err
			}
			left, err := s.cfg.Broker.List(ctx, queue, in, skip, page)
			if err != nil {
				return false, err
			}
			for _, job := range left { // what stays is passed over
				if slices.Contains(jobs, job) {
					skip++
				}
			}
			if s.over(began) {
				return false, nil
			}
		}
	}
	return true, nil
}

// unseen is the jobs of PRPs that have not been seen, which have been then.
func unseen(jobs []string, seen map[string]bool) (fresh []string) {
	var ids []string
	for _, job := range jobs {
		if id, _, err := tasks.ParseJobID(job); err == nil && !seen[id] {
			fresh, ids = append(fresh, job), append(ids, id)
		}
	}
	for _, id := range ids {
		seen[id] = true
	}
	return fresh
}

// rehome publishes current jobs of a queue again for whom the router chooses, and
// removes stale ones: nobody would ever take them. Jobs of others stay.
func (s *Sweeper) rehome(ctx context.Context, queue string, jobs []string, reason string, choose func(workflow.Record) bool) error {
	jobs, recs, err := s.records(ctx, jobs)
	if err != nil {
		return err
	}
	return s.each(ctx, jobs, func(i int) error {
		rec := recs[i]
		switch job := rec.Job(); {
		case rec.Err != nil:
			return rec.Err
		case job == nil || job.ID != jobs[i]:
			return s.cfg.Broker.Remove(ctx, queue, jobs[i])
		case rec.Holder() != nil || !choose(rec.Record):
			return nil
		}
		_, err := s.cfg.Engine.Redeliver(ctx, rec.ID, jobs[i], "", reason)
		return err
	})
}

// records reads the records of jobs. What is no job id is left out.
func (s *Sweeper) records(ctx context.Context, jobs []string) (ours []string, recs []workflow.Loaded, err error) {
	var ids []string
	for _, job := range jobs {
		if id, _, err := tasks.ParseJobID(job); err == nil {
			ours, ids = append(ours, job), append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, nil, nil
	}
	if recs, _, err = s.cfg.Store.LoadMany(ctx, ids); err != nil {
		return nil, nil, err
	}
	return ours, recs, nil
}
