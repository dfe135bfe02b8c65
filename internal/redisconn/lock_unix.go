//go:build unix

package redisconn

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// fileLock is a lock between processes. The system takes it back when its holder
// dies.
type fileLock struct{ file *os.File }

func openLock(name string) (*fileLock, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	return &fileLock{f}, nil
}

// exclusive and shared try to take the lock, and do not wait. One that is shared
// is given up for the try.
func (l *fileLock) exclusive() (bool, error) { return l.try(unix.LOCK_EX) }
func (l *fileLock) shared() (bool, error)    { return l.try(unix.LOCK_SH) }

func (l *fileLock) try(how int) (bool, error) {
	for {
		switch err := unix.Flock(int(l.file.Fd()), how|unix.LOCK_NB); {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, fmt.Errorf("flock: %w", err)
		}
	}
}

// release gives the lock back. Closing the file alone would not: a process that
// is being started at this moment has it open too.
func (l *fileLock) release() {
	_ = unix.Flock(int(l.file.Fd()), unix.LOCK_UN) // closing it is what is left where this fails
	_ = l.file.Close()
}

// await takes a lock as soon as nobody who is in its way has it.
func await(ctx context.Context, name string, take func(*fileLock) (bool, error)) (*fileLock, error) {
	l, err := openLock(name)
	if err != nil {
		return nil, err
	}
	for {
		taken, err := take(l)
		if err == nil && !taken {
			err = pause(ctx, firstWait/2)
		}
		switch {
		case err != nil:
			return nil, errors.Join(err, l.file.Close())
		case taken:
			return l, nil
		}
	}
}
