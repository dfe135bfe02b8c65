package spool

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Listed is a record that waits.
type Listed struct {
	Record
	// Stale: it is older than Config.Keep, only DrainAll pushes it.
	Stale bool
}

// Stat is a spool in figures.
type Stat struct {
	// Records wait in all; Stale of them were set aside by Drain.
	Records, Stale int
	// Bytes is what they take on disk, of at most Config.MaxBytes.
	Bytes int64
	// Oldest is when the first of them was appended; zero where none waits.
	Oldest time.Time
}

// List answers all records in the order in which DrainAll pushes them. It removes
// nothing.
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

// Stat counts the records. Where there are none it costs one look at the folder.
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

// look gives each record that waits to visit.
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

// holds tells whether one of the journals is there. It locks and creates nothing.
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
