//go:build !unix

package redisconn

import (
	"context"
	"os/exec"
)

func ownSession(*exec.Cmd) {}

// lock does nothing where there is no flock.
func lock(context.Context, string) (unlock func(), err error) { return func() {}, nil }
