//go:build unix

package plain

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Read reads a regular file of at most limit bytes. Anything else in its place
// is refused in a sentence that goes on after a subject ("the result file ...").
// It follows no symbolic link at the path's end, since who made the link may not
// be allowed to read what it leads to, and waits for no pipe's writer.
// errors.Is(err, os.ErrNotExist) where there is nothing.
func Read(path string, limit int64) ([]byte, error) {
	return read(path, syscall.O_NOFOLLOW, limit)
}

// Named is Read for a file that a person has named: links are followed.
func Named(path string, limit int64) ([]byte, error) { return read(path, 0, limit) }

func read(path string, flag int, limit int64) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|flag, 0)
	switch {
	case errors.Is(err, syscall.ELOOP):
		return nil, refuse(fs.ModeSymlink)
	case errors.Is(err, syscall.ENXIO):
		return nil, refuse(fs.ModeSocket)
	case err != nil:
		return nil, fmt.Errorf("cannot be opened: %w", cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, refuse(info.Mode())
	}
	if info.Size() > limit {
		return nil, tooLong(info.Size(), limit)
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1)) // it may grow meanwhile
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if int64(len(b)) > limit {
		return nil, tooLong(int64(len(b)), limit)
	}
	return b, nil
}

// cause leaves out the path, which the caller says.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

func tooLong(size, limit int64) error {
	return fmt.Errorf("has %d bytes, at most %d are allowed", size, limit)
}

func refuse(mode fs.FileMode) error {
	what := "device"
	switch {
	case mode&fs.ModeSymlink != 0:
		what = "symbolic link"
	case mode.IsDir():
		what = "folder"
	case mode&fs.ModeNamedPipe != 0:
		what = "named pipe"
	case mode&fs.ModeSocket != 0:
		what = "socket"
	}
	return fmt.Errorf("is a %s, no regular file", what)
}
