package spool

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// journal is one of the two files of records. Its methods are called with the
// lock held.
type journal struct {
	spool *Spool
	name  string

	// The file with this id was undamaged up to this offset when last checked.
	checkedID  string
	checkedEnd int64
}

// header is the first line of a journal. All ids have the same length, so that
// records keep their offsets when a file is replaced.
type header struct {
	ID string `json:"spool"`
}

// idLength is that of rand.Text.
const idLength = 26

// content is an open journal: its records begin at first, and those from start to
// end are waiting. A file with one id only grows.
type content struct {
	f                 *os.File
	id                string
	first, start, end int64
}

func (c *content) close() { _ = c.f.Close() }

// open returns nil if there is no file.
func (j *journal) open() (*content, error) {
	f, err := os.OpenFile(j.spool.path(j.name), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c := &content{f: f}
	if err = c.readHeader(); err == nil {
		err = j.locate(c)
	}
	if err == nil {
		return c, nil
	}
	c.close()
	if errors.Is(err, errDamaged) {
		err = j.setAside()
	}
	return nil, err
}

func (c *content) readHeader() error {
	var line bytes.Buffer
	if err := nextLine(bufio.NewReader(c.f), &line); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var h header
	if err := decode(line.Bytes(), &h); err != nil {
		return err
	}
	if len(h.ID) != idLength {
		return errDamaged
	}
	c.id, c.first = h.ID, int64(line.Len())
	return nil
}

// size is the number of bytes waiting, after cutting off what is damaged.
func (j *journal) size() (int64, error) {
	c, err := j.open()
	if err != nil || c == nil {
		return 0, err
	}
	defer c.close()
	from := c.start
	if j.checkedID == c.id && j.checkedEnd > from && endsLine(c.f, j.checkedEnd) {
		from = j.checkedEnd
	}
	if err := j.each(c, from, func([]byte, int64) error { return nil }); err != nil {
		return 0, err
	}
	return c.end - c.start, nil
}

var errStop = errors.New("enough")

// each calls visit with the payload of each record and the offset of the next one.
// It ends early if visit returns errStop. It cuts the file before a damaged record,
// which is also one for which visit returns errDamaged.
func (j *journal) each(c *content, from int64, visit func(payload []byte, next int64) error) error {
	in := bufio.NewReaderSize(io.NewSectionReader(c.f, from, c.end-from), 1<<16)
	var line bytes.Buffer
	for at := from; at < c.end; {
		if err := nextLine(in, &line); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		next := at + int64(line.Len())
		payload, err := check(line.Bytes())
		if err == nil {
			err = visit(payload, next)
		}
		switch {
		case errors.Is(err, errStop):
			return nil
		case errors.Is(err, errDamaged):
			return j.cut(c, at)
		case err != nil:
			return err
		}
		at = next
	}
	j.checkedID, j.checkedEnd = c.id, c.end
	return nil
}

// append writes lines to the end, creating the file if needed. If it fails, the
// file is unchanged.
func (j *journal) append(lines []byte) error {
	c, err := j.open()
	if err != nil {
		return err
	}
	if c == nil {
		_, err := j.replace(bytes.NewReader(lines))
		return err
	}
	defer c.close()
	_, err = c.f.WriteAt(lines, c.end)
	j.spool.step("written")
	if err == nil {
		err = c.f.Sync()
	}
	if err != nil {
		if undo := errors.Join(c.f.Truncate(c.end), c.f.Sync()); undo != nil {
			return fmt.Errorf("%w; undoing it failed as well: %w", err, undo)
		}
		return err
	}
	j.spool.step("synced")
	if j.checkedID == c.id && j.checkedEnd == c.end {
		j.checkedEnd += int64(len(lines))
	}
	return nil
}

// endsWith reports whether these are the last lines of the file.
func (j *journal) endsWith(lines []byte) (bool, error) {
	c, err := j.open()
	if err != nil || c == nil {
		return false, err
	}
	defer c.close()
	from := c.end - int64(len(lines))
	if from < c.start {
		return false, nil
	}
	last := make([]byte, len(lines))
	_, err = c.f.ReadAt(last, from)
	return bytes.Equal(last, lines), err
}

// exists reports whether there is a file; it does not need the lock.
func (j *journal) exists() bool {
	_, err := os.Lstat(j.spool.path(j.name))
	return !errors.Is(err, fs.ErrNotExist)
}

// remove removes the records before an offset of the file with that id.
func (j *journal) remove(id string, to int64) error {
	c, err := j.open()
	if err != nil || c == nil {
		return err
	}
	defer c.close()
	switch {
	case c.id != id || to <= c.start:
		return nil
	case to == c.end:
		return j.delete()
	case to > j.spool.cfg.MaxBytes: // more is drained than may be waiting: free the space
		_, err := j.replace(io.NewSectionReader(c.f, to, c.end-to))
		return err
	}
	return j.writePosition(c.id, to)
}

// replace replaces the file by a new one with some lines, in one step.
func (j *journal) replace(lines io.Reader) (id string, err error) {
	h := header{ID: rand.Text()}
	first, err := encode(h)
	if err != nil {
		return "", err
	}
	if err := j.spool.writeFile(j.name, io.MultiReader(bytes.NewReader(first), lines)); err != nil {
		return "", err
	}
	return h.ID, j.removePosition()
}

// delete removes the file, which is completely drained.
func (j *journal) delete() error {
	if err := os.Remove(j.spool.path(j.name)); err != nil {
		return fmt.Errorf("remove what is drained: %w", err)
	}
	j.spool.step("deleted")
	if err := j.removePosition(); err != nil {
		return err
	}
	return syncFolder(j.spool.cfg.Dir)
}
