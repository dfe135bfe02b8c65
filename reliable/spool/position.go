package spool

import (
	"errors"
	"io/fs"
	"os"
)

// position says how far the journal with that id is drained.
type position struct {
	ID      string `json:"spool"`
	Drained int64  `json:"drained"`
}

func (j *journal) positionName() string { return j.name + ".position" }

// locate finds the first record that is waiting. It ignores a position that cannot
// be right: pushing a record again is better than losing it.
func (j *journal) locate(c *content) error {
	info, err := c.f.Stat()
	if err != nil {
		return err
	}
	c.start, c.end = c.first, info.Size()
	line, err := os.ReadFile(j.spool.path(j.positionName()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var p position
	err = decode(line, &p)
	switch {
	case err == nil && p.ID != c.id: // of a file that is gone
		return nil
	case err == nil && endsLine(c.f, p.Drained):
		c.start = p.Drained
		return nil
	}
	j.spool.cfg.Log.Warn("the position of a spool is damaged, its records are pushed again from the beginning",
		"file", j.spool.path(j.positionName()))
	return j.removePosition()
}

// endsLine reports whether a line ends right before an offset.
func endsLine(f *os.File, offset int64) bool {
	var last [1]byte
	_, err := f.ReadAt(last[:], offset-1)
	return err == nil && last[0] == '\n'
}

func (j *journal) writePosition(id string, drained int64) error {
	line, err := encode(position{ID: id, Drained: drained})
	if err != nil {
		return err
	}
	return j.spool.writeBytes(j.positionName(), line)
}

func (j *journal) removePosition() error {
	if err := os.Remove(j.spool.path(j.positionName())); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
