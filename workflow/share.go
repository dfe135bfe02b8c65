package workflow

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// share gives an agent that idles one job that waits for a busy peer of its
// role. A job that is to go to the agent that knows the PRP stays there.
func (e *Engine) share(ctx context.Context, places []place, now time.Time) error {
	idle := map[string]time.Time{}
	for _, p := range places {
		if p.Running > 0 || p.Draining {
			continue
		}
		since, ok := e.sweep.idle[p.Name]
		if !ok {
			since = now
		}
		idle[p.Name] = since
		if now.Sub(since) < idleBefore {
			continue
		}
		moved, err := e.takeFromPeer(ctx, p, places)
		if err != nil {
			return err
		}
		if moved {
			delete(idle, p.Name)
		}
	}
	e.sweep.idle = idle
	return nil
}

// spread gives the agents of a role what waited for one to come, by priority
// and load: a role's own queue knows neither.
func (e *Engine) spread(ctx context.Context, places []place, left *int) error {
	var roles []string
	for _, p := range places {
		if !p.Draining && !slices.Contains(roles, p.Role) {
			roles = append(roles, p.Role)
		}
	}
	for _, role := range roles {
		jobs, err := e.Broker.List(ctx, tasks.RoleQueue(role), tasks.Pending, sweepAtMost)
		if err != nil {
			return err
		}
		for _, job := range jobs {
			if *left--; *left < 0 {
				return nil
			}
			if err := e.emptyOut(ctx, tasks.RoleQueue(role), job, "a live "+role+" is there"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Engine) takeFromPeer(ctx context.Context, idle place, places []place) (bool, error) {
	for _, peer := range places {
		if peer.Role != idle.Role || peer.Name == idle.Name || peer.Running < max(peer.Concurrency, 1) {
			continue
		}
		for _, q := range tasks.AgentQueues(peer.Name) {
			jobs, err := e.Broker.List(ctx, q, tasks.Pending, 10)
			if err != nil {
				return false, err
			}
			for _, job := range jobs {
				moved, err := e.move(ctx, job, idle.Name)
				if moved || err != nil {
					return moved, err
				}
			}
		}
	}
	return false, nil
}

// move gives an unclaimed job that is not sticky to a named agent.
func (e *Engine) move(ctx context.Context, job, agent string) (moved bool, err error) {
	id, _, err := tasks.ParseJobID(job)
	if err != nil {
		return false, nil // not ours
	}
	_, _, err = e.change(ctx, id, "", "", func(c Context, rec Record) (Transition, bool, error) {
		moved = false
		j := rec.Job
		if j == nil || j.ID != job || j.Sticky || rec.Holder != nil || rec.Paused || rec.WaitUntil.After(c.Now) {
			return Transition{}, false, nil
		}
		d := newDraft(c, rec)
		d.republish("redeliver", agent+" is idle, "+j.Agent+" is busy")
		d.rec.Job.Agent, d.rec.Job.Queue = agent, tasks.AgentQueue(agent, d.rec.Job.Priority)
		moved = true
		return d.done(), true, nil
	})
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return moved, err
}
