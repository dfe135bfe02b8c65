package e2e

import "syscall"

const (
	stop = syscall.SIGSTOP
	cont = syscall.SIGCONT
	term = syscall.SIGTERM
)

const (
	hup  = syscall.SIGHUP
	intr = syscall.SIGINT
)

// signalGroup signals a process and all of its group.
func signalGroup(leader int, s syscall.Signal) error { return syscall.Kill(-leader, s) }

func signalTo(pid int, s syscall.Signal) error { return syscall.Kill(pid, s) }
