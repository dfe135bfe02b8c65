//go:build unix

package tmux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lock waits until no other goroutine or process is typing into a pane. The kernel
// releases the lock of a process that dies.
func lock(ctx context.Context, dir, pane string) (unlock func(), err error) {
	if err := ownFolder(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, pane)
	for {
		f, err := tryLock(path)
		if err != nil {
			return nil, err
		}
		if f != nil {
			return func() { _ = os.Remove(path); _ = f.Close() }, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// ownFolder creates the folder, or refuses one of another user, who could hold the
// lock forever.
func ownFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || ok && int(stat.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("%s is not a folder that only this user may write to; choose another folder for locks", dir)
	}
	return nil
}

// tryLock returns nil if another holds the lock.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		// Its holder removes the file, and a lock on a removed file excludes nobody.
		mine, failed := f.Stat()
		there, gone := os.Stat(path)
		if failed == nil && gone == nil && os.SameFile(mine, there) {
			return f, nil
		}
		err = errors.Join(failed, gone)
	}
	_ = f.Close()
	if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		return nil, nil
	}
	return nil, fmt.Errorf("lock %s: %w", path, err)
}
