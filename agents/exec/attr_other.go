//go:build unix && !linux

package exec

import "syscall"

// attributes make the command a group's leader.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// awaitExit waits for the command's end.
func awaitExit(c *process) { c.reap() }
