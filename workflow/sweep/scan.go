package sweep

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// scanner goes through all records, slowly, as the net below the other duties.
type scanner struct {
	cursor string
	wanted atomic.Int64 // rounds at speed that were asked for
	round  int64        // the one that is under way, or was the last
	hasty  bool         // it is under way
}

func (s *scanner) hurry() { s.wanted.Add(1) }

// How many records a scan looks at in a turn, and how long a hasty turn is.
const (
	scanSlowly  = 25
	scanHastily = 2000
	hastyTurn   = 500 * time.Millisecond
)

// scanRecords looks at some more records: at those that wait for something that
// has happened, whose task or place on a lease is lost, or that an older version
// has left.
func (s *Sweeper) scanRecords(ctx context.Context, v view) error {
	sc := &s.scan
	if wanted := sc.wanted.Load(); wanted != sc.round {
		sc.round, sc.hasty, sc.cursor = wanted, true, ""
	}
	if !sc.hasty {
		return s.scanSome(ctx, v, scanSlowly)
	}
	for began := s.cfg.Clock(); ; {
		if err := s.scanSome(ctx, v, scanHastily); err != nil {
			return err
		}
		if sc.cursor == "" {
			sc.hasty = false
			return nil
		}
		if s.cfg.Clock().Sub(began) >= hastyTurn {
			return nil
		}
	}
}

func (s *Sweeper) scanSome(ctx context.Context, v view, n int) error {
	ids, next, err := s.cfg.Store.Scan(ctx, s.scan.cursor, n)
	if err != nil {
		return err
	}
	if err := s.check(ctx, ids, v); err != nil {
		return err
	}
	s.scan.cursor = next
	return nil
}

func (s *Sweeper) check(ctx context.Context, ids []string, v view) error {
	if len(ids) == 0 {
		return nil
	}
	recs, now, err := s.cfg.Store.LoadMany(ctx, ids)
	if err != nil {
		return err
	}
	jobs := make([]string, len(recs))
	for i := range recs {
		if job := recs[i].Job(); job != nil {
			jobs[i] = job.ID
		}
	}
	if _, err := s.checkJobs(ctx, jobs, recs); err != nil {
		return err
	}
	released, err := s.cfg.Engine.Released(ctx, recs)
	if err != nil {
		return err
	}
	if err := s.each(ctx, released, func(i int) error { return s.cfg.Engine.Unblock(ctx, released[i]) }); err != nil {
		return err
	}
	return s.each(ctx, ids, func(i int) error { return s.checkOne(ctx, &recs[i], now, v) })
}

func (s *Sweeper) checkOne(ctx context.Context, r *workflow.Loaded, now time.Time, v view) error {
	if r.ID == "" || r.Err != nil {
		return nil
	}
	if m := r.Stage.Merge; m != nil && !m.Granted {
		return s.cfg.Engine.Acquire(ctx, r.ID, m.Lease, m.Member, m.Capacity)
	}
	if found := planLook(r.Record, "", now, v); found.overdue || found.what != "" {
		_, err := s.act(ctx, r.Record, found)
		return err
	}
	if s.cfg.Engine.Sound(ctx, r.Record) {
		return nil
	}
	_, err := s.cfg.Engine.Settle(ctx, r.ID)
	return err
}
