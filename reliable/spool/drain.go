package spool

import (
	"context"
	"fmt"
	"time"
)

// The limits of a batch. A single record may be larger.
const (
	batchRecords = 100
	batchBytes   = 4 << 20
)

// removeWait is how long Drain waits for the lock to remove what it has pushed.
const removeWait = 10 * time.Second

// Drain calls push with all records, in order and in batches of at most 100, and
// removes each batch after push has returned nil. It returns how many records were
// pushed; the first error of push ends it. It sets aside records that are older
// than Config.Keep, since the receiver may have received and forgotten them. A
// second Drain, even of another process, waits for the first; Append does not.
func (s *Spool) Drain(ctx context.Context, push func(context.Context, []Record) error) (n int, err error) {
	return s.drain(ctx, push, false, s.log)
}

// DrainAll is Drain for records of any age, beginning with those that were set aside.
func (s *Spool) DrainAll(ctx context.Context, push func(context.Context, []Record) error) (n int, err error) {
	return s.drain(ctx, push, true, s.stale, s.log)
}

// drain empties journals; all means that the age of records does not matter.
func (s *Spool) drain(ctx context.Context, push func(context.Context, []Record) error, all bool, journals ...*journal) (n int, err error) {
	holds, err := s.holds(journals...)
	if err != nil || !holds {
		return 0, s.fail("drain", err)
	}
	err = s.locked(ctx, s.drainTurn, drainLockName, func() error {
		for _, j := range journals {
			for more := true; more; {
				var pushed int
				pushed, more, err = s.drainBatch(ctx, j, push, all)
				n += pushed
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	return n, s.fail("drain", err)
}

// batch is a piece of a journal.
type batch struct {
	fresh []Record
	stale []Record
	id    string // of the journal
	next  int64  // the offset of the record after it
}

// drainBatch pushes the next records; more is false if there were none.
func (s *Spool) drainBatch(ctx context.Context, j *journal, push func(context.Context, []Record) error, all bool) (pushed int, more bool, err error) {
	if err := ctx.Err(); err != nil {
		return 0, false, context.Cause(ctx)
	}
	var b batch
	err = s.change(ctx, func() (err error) {
		b, err = s.nextBatch(j, all)
		return err
	})
	if err != nil || b.next == 0 {
		return 0, false, err
	}
	if len(b.fresh) > 0 {
		if err := push(ctx, b.fresh); err != nil {
			return 0, false, fmt.Errorf("push %d records from %s on: %w", len(b.fresh), b.fresh[0].ID, err)
		}
	}
	s.step("pushed")
	// They are pushed, so they are removed even if ctx has ended meanwhile.
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWait)
	defer cancel()
	err = s.change(patient, func() error { return s.removeBatch(j, b) })
	return len(b.fresh), true, err
}

func (s *Spool) nextBatch(j *journal, all bool) (batch, error) {
	c, err := j.open()
	if err != nil || c == nil {
		return batch{}, err
	}
	defer c.close()
	var b batch
	oldest := s.now().Add(-s.cfg.Keep)
	err = j.each(c, c.start, func(payload []byte, next int64) error {
		if n := len(b.fresh) + len(b.stale); n == batchRecords || n > 0 && next-c.start > batchBytes {
			return errStop
		}
		var r Record
		if err := decodePayload(payload, &r); err != nil {
			return err
		}
		if !all && r.At.Before(oldest) {
			b.stale = append(b.stale, r)
		} else {
			b.fresh = append(b.fresh, r)
		}
		b.next = next
		return nil
	})
	if err == nil && c.start == c.end { // everything that was left was damaged
		err = j.delete()
	}
	b.id = c.id // it has changed if the file was damaged
	return b, err
}

// removeBatch sets aside what is stale, then removes the batch. If the process is
// killed in between, a stale record is in both files, never in none.
func (s *Spool) removeBatch(j *journal, b batch) error {
	if len(b.stale) > 0 {
		if err := s.setAside(b.stale); err != nil {
			return fmt.Errorf("set aside what is too old: %w", err)
		}
	}
	return j.remove(b.id, b.next)
}

func (s *Spool) setAside(records []Record) error {
	lines, err := s.lines(records)
	if err != nil {
		return err
	}
	if _, err := s.stale.size(); err != nil { // which cuts off damage
		return err
	}
	if there, err := s.stale.endsWith(lines); err != nil || there { // a process was killed before removing them
		return err
	}
	if err := s.stale.append(lines); err != nil {
		return err
	}
	s.step("set aside")
	s.cfg.Log.Warn("records of a spool are too old to be pushed and were set aside: the receiver may already have them",
		"dir", s.cfg.Dir, "records", len(records), "first", records[0].ID, "keep", s.cfg.Keep)
	return nil
}
