package spool

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Append writes records to the end of the log, all or none, and returns once they
// are on disk. It returns ErrFull if they do not fit. A process that is killed in
// Append may have written the first few of them.
func (s *Spool) Append(ctx context.Context, records ...Record) error {
	if len(records) == 0 {
		return nil
	}
	lines, err := s.lines(records)
	if err == nil {
		err = s.makeFolder()
	}
	if err == nil {
		err = s.change(ctx, func() error { return s.append(lines) })
	}
	return s.fail("append to", err)
}

func (s *Spool) lines(records []Record) ([]byte, error) {
	var lines bytes.Buffer
	for _, r := range records {
		if r.Queue == "" || r.ID == "" {
			return nil, fmt.Errorf("the record %q for the queue %q needs both an id and a queue", r.ID, r.Queue)
		}
		// JSON would change them.
		if name := r.Queue + r.ID; !utf8.ValidString(name) || strings.ContainsRune(name, utf8.RuneError) {
			return nil, fmt.Errorf("the id %q and the queue %q must be UTF-8", r.ID, r.Queue)
		}
		if r.At.IsZero() {
			r.At = s.now()
		}
		r.At = r.At.UTC()
		line, err := encode(r)
		if err != nil {
			return nil, fmt.Errorf("the record %q: %w", r.ID, err)
		}
		lines.Write(line)
	}
	return lines.Bytes(), nil
}

func (s *Spool) append(lines []byte) error {
	var waiting int64
	for _, j := range []*journal{s.log, s.stale} {
		n, err := j.size()
		if err != nil {
			return err
		}
		waiting += n
	}
	if waiting+int64(len(lines)) > s.cfg.MaxBytes {
		return fmt.Errorf("%w: %d of %d bytes are used and %d more are needed; "+
			"make the receiver reachable and drain the spool, or raise its limit",
			ErrFull, waiting, s.cfg.MaxBytes, len(lines))
	}
	if err := s.log.append(lines); err != nil {
		return fmt.Errorf("nothing was kept; make room on the disk or choose another folder, then send again: %w", err)
	}
	return nil
}
