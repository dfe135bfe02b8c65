package spool

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Listed is a waiting record.
type Listed struct {
	Record
	// Stale says that it is older than Config.Keep: only DrainAll pushes it.
	Stale bool
}

// Stat describes a spool in numbers.
type Stat struct {
	// Records is the number of waiting records, Stale that of those among them that
	// Drain has set aside.
	Records, Stale int
	// Bytes is their size on disk, at most Config.MaxBytes.
	Bytes int64
	// Oldest is when the first of them was appended; zero if there is none.
	Oldest time.Time
}

// List returns all records in the order in which DrainAll pushes them.
func (s *Spool) List(ctx context.Context) ([]Listed, error) {
	var list []Listed
	oldest := s.now().Add(-s.cfg.Keep)
	err := s.look(ctx, func(j *journal, payload []byte) error {
		var r Record
		if err := decodePayload(payload, &r); err != nil {
			return err
		}
		list = append(list, Listed{Record: r, Stale: j == s.stale || r.At.Before(oldest)})
		return nil
	})
	return list, s.fail("list", err)
}

// Stat counts the records. It reads them all, but an empty spool costs only a few
// system calls.
func (s *Spool) Stat(ctx context.Context) (Stat, error) {
	var stat Stat
	err := s.look(ctx, func(j *journal, payload []byte) error {
		if stat.Records == 0 {
			var first Record
			if err := decodePayload(payload, &first); err != nil {
				return err
			}
			stat.Oldest = first.At
		}
		stat.Records++
		if j == s.stale {
			stat.Stale++
		}
		stat.Bytes += sumLength + int64(len(payload)) + 1
		return nil
	})
	return stat, s.fail("look at", err)
}

// look calls visit with each waiting record.
func (s *Spool) look(ctx context.Context, visit func(j *journal, payload []byte) error) error {
	holds, err := s.holds(s.stale, s.log)
	if err != nil || !holds {
		return err
	}
	return s.change(ctx, func() error {
		for _, j := range []*journal{s.stale, s.log} {
			if err := s.lookAt(j, visit); err != nil {
				return fmt.Errorf("%s: %w", j.name, err)
			}
		}
		return nil
	})
}

// holds reports whether one of the journals exists. It takes no lock and creates
// nothing.
func (s *Spool) holds(journals ...*journal) (bool, error) {
	exists, err := s.checkFolder()
	if err != nil || !exists {
		return false, err
	}
	return slices.ContainsFunc(journals, (*journal).exists), nil
}

func (s *Spool) lookAt(j *journal, visit func(j *journal, payload []byte) error) error {
	c, err := j.open()
	if err != nil || c == nil {
		return err
	}
	defer c.close()
	return j.each(c, c.start, func(payload []byte, _ int64) error { return visit(j, payload) })
}
