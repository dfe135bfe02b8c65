package workflow

import (
	"context"
	"errors"
	"fmt"
)

// Dependants looked at in one go, and the next chunk's place in the queue.
const lookChunk = 100

// LookAtDependants looks at a chunk of the PRPs that wait for one, after the
// cursor; the cursor for the next chunk comes back, "" at the end.
func (e *Engine) LookAtDependants(ctx context.Context, dep, after string) (string, error) {
	ids, err := e.Store.Dependants(ctx, dep, after, lookChunk)
	if err != nil {
		return "", err
	}
	for _, id := range ids {
		if err := e.Unblock(ctx, id); err != nil && !errors.Is(err, ErrNotFound) {
			return "", fmt.Errorf("dependants of %s: %w", dep, err)
		}
	}
	if len(ids) < lookChunk {
		return "", nil
	}
	return ids[len(ids)-1], nil
}

// Unblock reads the dependencies of a PRP that waits, and lets it go on when
// all are complete.
func (e *Engine) Unblock(ctx context.Context, id string) error {
	_, _, err := e.change(ctx, id, "", "", func(c Context, rec Record) (Transition, bool, error) {
		if len(rec.BlockedBy) == 0 {
			return Transition{}, false, nil
		}
		blocked, stuck, err := e.blocking(ctx, rec)
		if err != nil {
			return Transition{}, false, err
		}
		t, ok := decideUnblock(c, rec, blocked, stuck)
		return t, ok, nil
	})
	return err
}

// blocking lists the dependencies that are not complete, and those of them
// that will not complete by themselves and were not reported before.
func (e *Engine) blocking(ctx context.Context, rec Record) (blocked, stuck []string, err error) {
	deps, err := e.Store.LoadMany(ctx, rec.DependsOn)
	if err != nil {
		return nil, nil, err
	}
	for i, dep := range deps {
		id := rec.DependsOn[i]
		if dep.ID == "" {
			blocked = append(blocked, id)
			continue
		}
		lc, err := e.lifecycle(ctx, dep.Lifecycle)
		if err != nil {
			return nil, nil, err
		}
		s, _ := lc.State(dep.State)
		if s.Success {
			continue
		}
		blocked = append(blocked, id)
		told := false
		for _, cause := range rec.Escalated {
			told = told || cause == "dependency "+id
		}
		gaveUp := givenUp(lc, dep.State)
		if (s.Terminal || gaveUp) && !told {
			stuck = append(stuck, id)
		}
	}
	return blocked, stuck, nil
}

// Acquire asks for a merge lease on behalf of a PRP and publishes the job of
// whoever owns it then.
func (e *Engine) Acquire(ctx context.Context, prp, lease, member string) error {
	rec, _, err := e.load(ctx, prp)
	if err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	if rec.Member != member {
		return e.Release(ctx, lease, member) // the PRP has left the state meanwhile: nobody of that name wants it any more
	}
	owner, err := e.Store.AcquireLease(ctx, lease, member)
	if err != nil {
		return err
	}
	return e.grant(ctx, lease, owner)
}

// Release gives a merge lease back and wakes the first who waits.
func (e *Engine) Release(ctx context.Context, lease, member string) error {
	owner, err := e.Store.ReleaseLease(ctx, lease, member)
	if err != nil {
		return err
	}
	return e.grant(ctx, lease, owner)
}

// grant publishes the job of a lease's owner. An owner who no longer wants the
// lease gives it up to the next.
func (e *Engine) grant(ctx context.Context, lease, owner string) error {
	for owner != "" {
		id := memberID(owner)
		rec, _, err := e.change(ctx, id, "", "", func(c Context, rec Record) (Transition, bool, error) {
			if rec.Member != owner {
				return Transition{}, false, nil
			}
			t, ok := decideGrant(c, rec)
			return t, ok, nil
		})
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if rec.Member == owner {
			return nil
		}
		if owner, err = e.Store.ReleaseLease(ctx, lease, owner); err != nil {
			return err
		}
	}
	return nil
}

// memberID is the PRP of a member of a lease, <prp>:<fence>.
func memberID(member string) string {
	for i := len(member) - 1; i >= 0; i-- {
		if member[i] == ':' {
			return member[:i]
		}
	}
	return member
}
