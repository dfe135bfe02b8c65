package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// unknown says that there is no such PRP, and what shows those that are.
func unknown(id string, err error) error {
	if errors.Is(err, workflow.ErrNotFound) {
		return fmt.Errorf("no PRP %s is known: `prpflow list` shows those that are: %w", id, workflow.ErrNotFound)
	}
	return err
}

// Show gives the view of one PRP.
func (e *Engine) Show(ctx context.Context, id string) (workflow.View, error) {
	rec, now, err := e.cfg.Store.Load(ctx, id)
	if err != nil {
		return workflow.View{}, unknown(id, err)
	}
	lc, err := e.lifecycle(ctx, rec.Lifecycle)
	if err != nil {
		return workflow.View{}, err
	}
	w, err := e.world(ctx, []workflow.Loaded{{Record: rec}})
	if err != nil {
		return workflow.View{}, err
	}
	return workflow.ViewOf(rec, lc, now, w), nil
}

// List gives the views of all PRPs, oldest first. One that cannot be read is
// shown with the reason.
func (e *Engine) List(ctx context.Context) ([]workflow.View, error) {
	recs, err := e.cfg.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	w, err := e.world(ctx, recs)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	views := make([]workflow.View, len(recs))
	for i, r := range recs {
		err := r.Err
		if err == nil {
			lc, lerr := e.lifecycle(ctx, r.Lifecycle)
			if lerr == nil {
				views[i] = workflow.ViewOf(r.Record, lc, now, w)
				continue
			}
			err = lerr
		}
		if workflow.ClassOf(err) == workflow.Unreachable {
			return nil, err
		}
		views[i] = workflow.Unreadable(r.Record, err)
	}
	return views, nil
}

// History gives the history of a PRP.
func (e *Engine) History(ctx context.Context, id string) ([]workflow.Entry, error) {
	if _, _, err := e.cfg.Store.Load(ctx, id); err != nil && !errors.Is(err, workflow.ErrUnreadable) {
		return nil, unknown(id, err)
	}
	return e.cfg.Store.History(ctx, id)
}

// world reads what the records may wait for.
func (e *Engine) world(ctx context.Context, recs []workflow.Loaded) (w workflow.World, err error) {
	var deps, queues, leases []string
	capacity := map[string]int{}
	for _, r := range recs {
		if r.Err != nil {
			continue
		}
		deps = append(deps, r.BlockedBy...)
		if job := r.Job(); job != nil && r.Holder() == nil {
			queues = append(queues, job.Queue)
		}
		if m := r.Stage.Merge; m != nil && !m.Granted {
			leases = append(leases, m.Lease)
			capacity[m.Lease] = m.Capacity
		}
	}
	if e.cfg.Registry != nil {
		processes, now, err := e.cfg.Registry.Processes(ctx)
		if err != nil {
			return w, err
		}
		w.Unavailable, w.Live = unavailable(processes, now)
	}
	if w.Deps, err = e.byID(ctx, deps, recs); err != nil {
		return w, err
	}
	if w.Paused, err = e.paused(ctx, sortedUnique(queues)); err != nil {
		return w, err
	}
	w.Owners = map[string][]string{}
	for _, lease := range sortedUnique(leases) {
		if w.Owners[lease], err = e.cfg.Store.LeaseMembers(ctx, lease, max(capacity[lease], 1)); err != nil {
			return w, err
		}
	}
	return w, nil
}

// byID gives records by id: those that are known already, the others read.
func (e *Engine) byID(ctx context.Context, ids []string, known []workflow.Loaded) (map[string]workflow.Loaded, error) {
	all := make(map[string]workflow.Loaded, len(ids))
	if len(ids) == 0 {
		return all, nil
	}
	for _, r := range known {
		all[r.ID] = r
	}
	var missing []string
	for _, id := range sortedUnique(ids) {
		if _, there := all[id]; !there {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return all, nil
	}
	read, _, err := e.cfg.Store.LoadMany(ctx, missing)
	if err != nil {
		return nil, err
	}
	for i, r := range read {
		all[missing[i]] = r
	}
	return all, nil
}

func (e *Engine) paused(ctx context.Context, queues []string) (map[string]bool, error) {
	paused := map[string]bool{}
	if e.cfg.Broker == nil || len(queues) == 0 {
		return paused, nil
	}
	states, err := e.cfg.Broker.QueuesOf(ctx, queues)
	for _, q := range states {
		paused[q.Name] = q.Paused
	}
	return paused, err
}
