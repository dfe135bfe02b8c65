//go:build !linux

package redistest

import "os/exec"

// dieWithParent cannot be had here: servers are stopped by Main alone.
func dieWithParent(*exec.Cmd) {}
