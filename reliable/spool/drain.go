package spool

import (
	"context"
	"fmt"
	"time"
)

// A batch of Drain has no more than so many records, and no more bytes unless
// its only record has.
const (
	batchRecords = 100
	batchBytes   = 4 << 20
)

// removeWait is how long Drain waits for the log to remove what it has pushed.
const removeWait = 10 * time.Second

// Drain gives all records to push, in order and in batches of at most 100, and
// removes each batch once push has returned nil. It answers how many records were
// pushed; the first error of push ends it. Records that are older than
// Config.Keep are set aside: the receiver may have had them and forgotten. A
// second Drain, also of another process, waits for the first; Append does not.
func (s *Spool) Drain(ctx context.Context, push func(context.Context, []Record) error) (n int, err error) {
	return s.drain(ctx, push, false, s.log)
}

// DrainAll is Drain for all records however old they are, those first that were
// set aside.
func (s *Spool) DrainAll(ctx context.Context, push func(context.Context, []Record) error) (n int, err error) {
	return s.drain(ctx, push, true, s.stale, s.log)
}

// drain empties journals; all says that age does not matter.
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
	next  int64  // where the record behind it begins
}

// drainBatch pushes the next records. There is no more where it found none.
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
	// They are pushed: that ctx has ended meanwhile is no reason to push them again.
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
	if err == nil && c.start == c.end { // all that was left was damaged
		err = j.delete()
	}
	b.id = c.id // a new one after damage
	return b, err
}

// removeBatch removes what was pushed and sets aside what is stale, the latter
// first: killed in between, a record is in both files and never in none.
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
	if _, err := s.stale.size(); err != nil { // nothing is appended behind damage
		return err
	}
	if there, err := s.stale.endsWith(lines); err != nil || there { // by a process that was killed before it removed them
		return err
	}
	if err := s.stale.append(lines); err != nil {
		return err
	}
	s.step("set aside")
	s.cfg.Log.Warn("records of a spool are too old to be pushed and were set aside: the receiver may have had them already",
		"dir", s.cfg.Dir, "records", len(records), "first", records[0].ID, "keep", s.cfg.Keep)
	return nil
}
