package redistest

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the kernel kill the child when the test binary dies, however
// it dies.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
