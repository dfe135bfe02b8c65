package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// shellGrace is how long a shell may go on after it was asked to end.
const shellGrace = 2 * time.Second

// Shell runs a command of sh -c until it ends. At the end of ctx, its process group
// is asked to end, and then killed; it dies with this process.
func Shell(ctx context.Context, command string, in io.Reader, out, errs io.Writer) error {
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, errs
	cmd.SysProcAttr = attributes()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = shellGrace
	watcher := newGuard()
	defer watcher.release()
	ended := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // see process.launch
		defer runtime.UnlockOSThread()
		err := begin(cmd)
		if err != nil {
			ended <- err
			return
		}
		watcher.watch(cmd.Process.Pid)
		err = cmd.Wait()
		buried(cmd.Process.Pid)
		ended <- err
	}()
	err := <-ended
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it has left in its group
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the command was stopped: %w", context.Cause(ctx))
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // it ended well, and a child of it holds its output
	}
	return err
}
