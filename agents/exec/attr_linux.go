package exec

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes make the command the leader of a session, and so of a group that nobody
// below it can leave for the runtime's. It dies with the runtime.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// awaitExit waits for the command's end and leaves it unburied: until it is
// reaped its number, and so the group's, is nobody else's.
func awaitExit(c *process) {
	for {
		err := unix.Waitid(unix.P_PID, c.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}
