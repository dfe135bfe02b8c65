package redisconn

import (
	"net"

	"golang.org/x/sys/unix"
)

// listens reports whether the process at the other end of a unix socket has this
// pid here: what a server says of itself may be its pid in another container.
func listens(conn net.Conn, pid int) bool {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return false
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	same := false
	err = raw.Control(func(fd uintptr) {
		cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		same = err == nil && int(cred.Pid) == pid
	})
	return err == nil && same
}
