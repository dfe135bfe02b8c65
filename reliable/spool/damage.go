package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// cut moves everything from an offset on, where a damaged record begins, to another
// file. What is left becomes a new file with the same offsets: its new id keeps a
// running drain from removing, by offset, records that are appended later.
func (j *journal) cut(c *content, at int64) error {
	name, err := j.spool.damagedName()
	if err != nil {
		return err
	}
	if err := j.spool.writeFile(name, io.NewSectionReader(c.f, at, c.end-at)); err != nil {
		return fmt.Errorf("keep what is damaged: %w", err)
	}
	id, err := j.replace(io.NewSectionReader(c.f, c.first, at-c.first))
	if err == nil && c.start > c.first {
		err = j.writePosition(id, c.start)
	}
	if err != nil {
		return fmt.Errorf("cut off what is damaged: %w", err)
	}
	j.warn(name, at, c.end-at)
	c.id, c.end = id, at
	j.checkedID, j.checkedEnd = c.id, c.end
	return nil
}

// setAside moves away a file that does not begin like a journal.
func (j *journal) setAside() error {
	path := j.spool.path(j.name)
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	name, err := j.spool.damagedName()
	if err != nil {
		return err
	}
	if err := os.Rename(path, j.spool.path(name)); err != nil {
		return fmt.Errorf("keep what is damaged: %w", err)
	}
	j.warn(name, 0, info.Size())
	return syncFolder(j.spool.cfg.Dir)
}

func (j *journal) warn(name string, at, bytes int64) {
	j.spool.cfg.Log.Warn("a spool is damaged: everything behind its last good record was moved to another file",
		"file", j.spool.path(j.name), "at", at, "bytes", bytes, "kept", j.spool.path(name))
}

// damagedName is an unused file name.
func (s *Spool) damagedName() (string, error) {
	base := damagedPrefix + s.now().UTC().Format("20060102T150405.000000000Z")
	for n := 0; ; n++ {
		name := base
		if n > 0 {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		_, err := os.Lstat(s.path(name))
		if errors.Is(err, fs.ErrNotExist) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
	}
}
