package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// checkFolder refuses a folder to which others may write: they could make this
// process push, or overwrite, whatever they like.
func (s *Spool) checkFolder() (exists bool, err error) {
	info, err := os.Lstat(s.cfg.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.Mode()&fs.ModeSymlink != 0:
		return false, errors.New("it is a symbolic link; name the folder that it points to")
	case !info.IsDir():
		return false, errors.New("it is not a folder; name another path")
	case foreign(info):
		return false, errors.New("it belongs to another user; choose a folder of the user who runs this")
	case info.Mode().Perm()&0o022 != 0:
		return false, fmt.Errorf("others may write to it (mode %04o); check what is in it, then run chmod 700 on it", info.Mode().Perm())
	}
	return true, nil
}

// makeFolder creates the folder if it is missing.
func (s *Spool) makeFolder() error {
	exists, err := s.checkFolder()
	if err != nil || exists {
		return err
	}
	if err := makeFolder(s.cfg.Dir); err != nil {
		return err
	}
	_, err = s.checkFolder() // another process may have made it
	return err
}

// makeFolder creates a folder and its parents so that they survive a power loss.
func makeFolder(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeFolder(filepath.Dir(dir)); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o700)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		return err
	}
	return syncFolder(filepath.Dir(dir))
}

// syncFolder makes creations, renames and removals in a folder durable.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

func (s *Spool) writeBytes(name string, content []byte) error {
	return s.writeFile(name, bytes.NewReader(content))
}

// writeFile creates or replaces a file in one step, and syncs it. The lock is held,
// so an unfinished file of that name is from a process that was killed.
func (s *Spool) writeFile(name string, content io.Reader) error {
	fresh := s.path(name + ".new")
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	s.step("new " + name)
	if err == nil {
		err = os.Rename(fresh, s.path(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	s.step("renamed " + name)
	return syncFolder(s.cfg.Dir)
}
