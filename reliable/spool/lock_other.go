//go:build !unix

package spool

import (
	"context"
	"io/fs"
)

// lock does nothing where there is no flock: goroutines of one process are kept
// apart by the Spool.
func lock(context.Context, string) (unlock func(), err error) { return func() {}, nil }

func foreign(fs.FileInfo) bool { return false }
