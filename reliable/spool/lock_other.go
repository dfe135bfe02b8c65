//go:build !unix

package spool

import (
	"context"
	"io/fs"
)

// lock does nothing on systems without flock. The Spool itself still excludes
// goroutines from each other.
func lock(context.Context, string) (unlock func(), err error) { return func() {}, nil }

func foreign(fs.FileInfo) bool { return false }
