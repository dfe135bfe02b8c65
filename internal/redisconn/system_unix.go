//go:build unix

package redisconn

import (
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// ownSession keeps the terminal's Ctrl-C from the server: whoever uses it ends it
// when its own work is saved.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// inherit gives a file to the process that cmd starts, for as long as it lives.
func inherit(cmd *exec.Cmd, f *os.File) { cmd.ExtraFiles = append(cmd.ExtraFiles, f) }

// owner is the user a file belongs to.
func owner(info fs.FileInfo) (uid int, known bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(s.Uid), true
}

// device tells file systems apart.
func device(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Dev) //nolint:unconvert // it has another type on other systems
	}
	return 0
}

// reap removes what an ended process leaves in the table of processes. That is
// for process 1 alone, to which orphans come.
func reap(pid int) {
	if os.Getpid() != 1 || pid <= 0 {
		return
	}
	for range 100 {
		if got, err := syscall.Wait4(pid, nil, syscall.WNOHANG, nil); got == pid || err != nil && err != syscall.EINTR { //nolint:errorlint // an errno
			return
		}
		time.Sleep(firstWait / 5)
	}
}
