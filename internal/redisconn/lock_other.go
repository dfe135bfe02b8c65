//go:build !unix

package redisconn

import (
	"context"
	"os"
)

// fileLock is always free where there is no flock.
type fileLock struct{ file *os.File }

func openLock(name string) (*fileLock, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	return &fileLock{f}, err
}

func (l *fileLock) exclusive() (bool, error) { return true, nil }
func (l *fileLock) shared() (bool, error)    { return true, nil }
func (l *fileLock) release()                 { _ = l.file.Close() }

func await(_ context.Context, name string, take func(*fileLock) (bool, error)) (*fileLock, error) {
	l, err := openLock(name)
	if err == nil {
		_, err = take(l)
	}
	return l, err
}
