package agents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// OfferLeftovers ends what dead incarnations of this store left running on
// this machine and delivers the results that they left on disk. It comes
// before the first claim, so that nothing is run beside its predecessor. An
// error leaves the result where it is, for the next call; Run calls it from
// time to time.
func (r *Runtime) OfferLeftovers(ctx context.Context) error {
	r.leftovers.Lock()
	defer r.leftovers.Unlock()
	paths, err := r.state.others()
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range paths {
		errs = append(errs, r.inherit(ctx, path))
	}
	return errors.Join(errs...)
}

// inherit takes over the folder of an incarnation whose owner is dead.
func (r *Runtime) inherit(ctx context.Context, path string) error {
	lock, err := tryLock(path)
	if err != nil || lock == nil { // alive, or gone meanwhile
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	}
	defer lock.Close()
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("agents: left-over results: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if e.IsDir() {
			errs = append(errs, r.settle(ctx, &runDir{filepath.Join(path, e.Name())}))
		}
	}
	return errors.Join(append(errs, removeIfDone(path))...)
}

// settle reaps a left-over run and delivers its result, if there is one.
func (r *Runtime) settle(ctx context.Context, dir *runDir) error {
	if r.cfg.Adapter != nil {
		if err := r.cfg.Adapter.Reap(dir.path); err != nil {
			return fmt.Errorf("agents: %s: %w", dir.path, err)
		}
	}
	d, ok, err := dir.load()
	if err != nil {
		// It was renamed into place whole: whatever this is, it is no result.
		if !r.unreadable[dir.path] {
			r.log.Error("left-over result cannot be read, leaving it", "dir", dir.path, "err", err)
			r.unreadable[dir.path] = true
		}
		return nil
	}
	if !ok {
		dir.remove()
		return nil
	}
	_, err = r.cfg.Engine.Deliver(ctx, d)
	switch {
	case err == nil:
		r.log.Info("left-over result delivered", "prp", d.PRP, "run", d.ID)
	case errors.Is(err, tasks.ErrStale):
		r.log.Info("left-over result dropped: its run is no longer current", "prp", d.PRP, "run", d.ID)
	default:
		return fmt.Errorf("agents: left-over result of %s: %w", d.PRP, err)
	}
	dir.remove()
	return nil
}

// offerEvery is the time between two looks at what others have left.
const offerEvery = 15 * time.Second

// followLeftovers offers what processes leave that die while this one lives,
// and what could not be delivered at start.
func (r *Runtime) followLeftovers(ctx context.Context) {
	t := time.NewTicker(offerEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := r.OfferLeftovers(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("left-over results not delivered, trying again", "err", err)
		}
	}
}
