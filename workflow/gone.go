package workflow

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// bury gives out again what a gone process held and what waited for its agents.
func (e *Engine) bury(ctx context.Context, p tasks.Process, all []tasks.Process, now time.Time, left *int) error {
	held, err := e.Store.Held(ctx, p.Incarnation)
	if err != nil {
		return err
	}
	for _, id := range held {
		if *left--; *left < 0 {
			return nil
		}
		if err := e.lost(ctx, id, Holder{Incarnation: p.Incarnation, Since: now}, "the process "+p.Incarnation+" is gone"); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	for _, a := range p.Agents {
		if err := e.releaseActive(ctx, a, left); err != nil {
			return err
		}
		if lives(a.Name, all, now, p.Incarnation) {
			continue // a process of that name serves the queues
		}
		e.sweep.left[a.Name] = now
		if err := e.emptyQueues(ctx, a.Name, left); err != nil {
			return err
		}
	}
	if *left < 0 {
		return nil
	}
	return e.Registry.Forget(ctx, p.Incarnation)
}

// stragglers is how long others may still route to an agent that is gone: they
// know their agents from a snapshot.
const stragglers = 4 * snapshotAge

// followUp empties the queues of agents that are gone once more, for those who
// did not know it yet.
func (e *Engine) followUp(ctx context.Context, processes []tasks.Process, now time.Time, left *int) error {
	for _, agent := range slices.Sorted(maps.Keys(e.sweep.left)) {
		if now.Sub(e.sweep.left[agent]) > stragglers || lives(agent, processes, now, "") {
			delete(e.sweep.left, agent)
			continue
		}
		if err := e.emptyQueues(ctx, agent, left); err != nil {
			return err
		}
	}
	return nil
}

// releaseActive looks at the tasks that a gone process has left active: the
// broker would keep them until it notices the death. What nobody waits for any
// more is removed; what was taken and not claimed is given out again.
func (e *Engine) releaseActive(ctx context.Context, a tasks.Agent, left *int) error {
	for _, q := range append(tasks.AgentQueues(a.Name), tasks.RoleQueue(a.Role)) {
		jobs, err := e.Broker.List(ctx, q, tasks.Active, sweepAtMost)
		if err != nil {
			return err
		}
		for _, job := range jobs {
			id, _, err := tasks.ParseJobID(job)
			if err != nil {
				continue // not ours
			}
			rec, now, err := e.load(ctx, id)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			current := err == nil && rec.Job != nil && rec.Job.ID == job
			switch {
			case !current:
				err = e.Broker.Remove(ctx, q, job)
			case rec.Holder == nil && !rec.WaitUntil.After(now):
				if *left--; *left < 0 {
					return nil
				}
				err = e.reroute(ctx, id, job, "redeliver", "the agent "+a.Name+" died before it began")
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// emptyQueues routes what waits for an agent that is gone, and removes what is
// stale: nobody would ever take it.
func (e *Engine) emptyQueues(ctx context.Context, agent string, left *int) error {
	for _, q := range tasks.AgentQueues(agent) {
		for _, in := range []tasks.TaskState{tasks.Pending, tasks.Retrying} {
			jobs, err := e.Broker.List(ctx, q, in, sweepAtMost)
			if err != nil {
				return err
			}
			for _, job := range jobs {
				if *left--; *left < 0 {
					return nil
				}
				if err := e.emptyOut(ctx, q, job, "the agent "+agent+" is gone"); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (e *Engine) emptyOut(ctx context.Context, queue, job, reason string) error {
	id, _, err := tasks.ParseJobID(job)
	if err != nil {
		return nil // not ours
	}
	rec, _, err := e.load(ctx, id)
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	case err != nil, rec.Job == nil, rec.Job.ID != job:
		return e.Broker.Remove(ctx, queue, job)
	}
	return e.reroute(ctx, id, job, "redeliver", reason)
}

func lives(agent string, all []tasks.Process, now time.Time, but string) bool {
	for _, p := range all {
		if p.Incarnation == but || !alive(p, now) {
			continue
		}
		if slices.ContainsFunc(p.Agents, func(a tasks.Agent) bool { return a.Name == agent }) {
			return true
		}
	}
	return false
}
