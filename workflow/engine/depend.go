package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/prpflow/prpflow/workflow"
)

// lookChunk is how many dependants are looked at in one go.
const lookChunk = 100

// LookAtDependants looks at a chunk of the PRPs that wait for one, after the
// cursor; the cursor for the next chunk comes back, "" at the end. A PRP that
// cannot be read stops nobody: the scan comes back to it.
func (e *Engine) LookAtDependants(ctx context.Context, dep, after string) (string, error) {
	ids, err := e.cfg.Store.Dependants(ctx, dep, after, lookChunk)
	if err != nil {
		return "", err
	}
	for i, err := range e.Each(ctx, len(ids), func(i int) error { return e.Unblock(ctx, ids[i]) }) {
		switch {
		case err == nil, errors.Is(err, workflow.ErrNotFound):
		case workflow.ClassOf(err) == workflow.Unreachable, ctx.Err() != nil:
			return "", fmt.Errorf("dependants of %s: %w", dep, err)
		default:
			e.cfg.Log.Error("a PRP that waits for another cannot be looked at", "prp", ids[i], "dependency", dep, "err", err)
		}
	}
	if len(ids) < lookChunk {
		return "", nil
	}
	return ids[len(ids)-1], nil
}

// Unblock reads the dependencies of a PRP that waits, and lets it go on when all
// are complete.
func (e *Engine) Unblock(ctx context.Context, id string) error {
	_, _, err := e.change(ctx, id, func(c workflow.Context, rec workflow.Record) (t workflow.Change, save bool, err error) {
		if len(rec.BlockedBy) == 0 {
			return t, false, nil
		}
		deps, _, err := e.cfg.Store.LoadMany(ctx, rec.BlockedBy)
		if err != nil {
			return t, false, err
		}
		lifecycles, err := e.lifecyclesOf(ctx, deps)
		if err != nil {
			return t, false, err
		}
		return workflow.Unblock(c, rec, deps, lifecycles)
	})
	return err
}

// Released lists those of the records that wait for a PRP which has ended.
func (e *Engine) Released(ctx context.Context, recs []workflow.Loaded) (ids []string, err error) {
	var deps []string
	for _, r := range recs {
		deps = append(deps, r.BlockedBy...)
	}
	if len(deps) == 0 {
		return nil, nil
	}
	deps = sortedUnique(deps)
	read, _, err := e.cfg.Store.LoadMany(ctx, deps)
	if err != nil {
		return nil, err
	}
	lifecycles, err := e.lifecyclesOf(ctx, read)
	if err != nil {
		return nil, err
	}
	ended := map[string]bool{}
	for i, d := range read {
		ended[deps[i]] = lifecycles.Ended(d)
	}
	for _, r := range recs {
		if slices.ContainsFunc(r.BlockedBy, func(dep string) bool { return ended[dep] }) {
			ids = append(ids, r.ID)
		}
	}
	return ids, nil
}

// Acquire asks for a merge lease on behalf of a PRP and publishes the jobs of
// those who own it then.
func (e *Engine) Acquire(ctx context.Context, prp, lease, member string, capacity int) error {
	rec, _, err := e.cfg.Store.Load(ctx, prp)
	switch {
	case errors.Is(err, workflow.ErrNotFound):
		return nil
	case err != nil:
		return err
	case rec.Stage.Merge == nil || rec.Stage.Merge.Member != member: // the PRP has left the state meanwhile
		return e.Release(ctx, lease, member, capacity)
	}
	owners, err := e.cfg.Store.AcquireLease(ctx, lease, member, max(capacity, 1))
	if err != nil {
		return err
	}
	return e.Grant(ctx, lease, owners, capacity)
}

// Release gives a merge lease back and wakes the first who waits.
func (e *Engine) Release(ctx context.Context, lease, member string, capacity int) error {
	owners, err := e.cfg.Store.ReleaseLease(ctx, lease, member, max(capacity, 1))
	if err != nil {
		return err
	}
	return e.Grant(ctx, lease, owners, capacity)
}

// Grant publishes the jobs of a lease's owners. One that no longer wants the
// lease gives its place to the next.
func (e *Engine) Grant(ctx context.Context, lease string, owners []string, capacity int) error {
	settled := map[string]bool{}
	for len(owners) > 0 {
		i := slices.IndexFunc(owners, func(member string) bool { return !settled[member] })
		if i < 0 {
			return nil
		}
		member := owners[i]
		settled[member] = true
		wants, err := e.grant(ctx, member, i)
		switch {
		case err == nil:
		case workflow.ClassOf(err) == workflow.Final && ctx.Err() == nil: // it keeps its place, and stops nobody
			e.cfg.Log.Error("a PRP whose turn at a merge lease has come cannot be told", "lease", lease, "member", member, "err", err)
			continue
		default:
			return err
		}
		if !wants {
			if owners, err = e.cfg.Store.ReleaseLease(ctx, lease, member, max(capacity, 1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// grant publishes the job of the member at a place of the lease, if that is one of
// an owner's, and says whether its PRP still wants it.
func (e *Engine) grant(ctx context.Context, member string, place int) (wants bool, err error) {
	rec, _, err := e.change(ctx, workflow.MemberPRP(member), func(c workflow.Context, rec workflow.Record) (workflow.Change, bool, error) {
		return workflow.Grant(c, rec, member, place)
	})
	if errors.Is(err, workflow.ErrNotFound) {
		return false, nil
	}
	return rec.Stage.Merge != nil && rec.Stage.Merge.Member == member, err
}
