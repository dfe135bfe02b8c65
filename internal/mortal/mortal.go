package mortal

import (
	"io"
	"os"
	"os/exec"
	"runtime"
)

// launcher starts every child from one OS thread that never ends before this process
// does: the parent-death signal of a child is tied to the thread that started it.
var launcher = func() chan func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for do := range work {
			do()
		}
	}()
	return work
}()

// Start starts a command that the kernel kills when this process dies.
func Start(cmd *exec.Cmd) error {
	dieWithParent(cmd)
	started := make(chan error)
	launcher <- func() { started <- cmd.Start() }
	return <-started
}

// Run is Start, and waits for the command's end.
func Run(cmd *exec.Cmd) error {
	if err := Start(cmd); err != nil {
		return err
	}
	return cmd.Wait()
}

// broom waits for this process' end; then it kills whoever works below its folder, which
// are servers that outlive who started them, and removes the folder. It is nobody's child:
// who kills a tree of processes leaves it alone.
const broom = `exec 3<&0
(
  trap '' HUP INT TERM
  read -r over <&3 && exit 0
  for round in 1 2 3; do
    for p in /proc/[0-9]*; do
      case $(readlink "$p/cwd" 2>/dev/null) in "$0"|"$0"/*) kill -s KILL "${p#/proc/}" 2>/dev/null;; esac
    done
    sleep 0.3
  done
  rm -rf "$0"
) >/dev/null 2>&1 &`

// inside is true within Tests: the folder of the outermost call is enough.
var inside bool

// Tests runs tests whose temporary folders are all in one, which goes with the process.
func Tests(run func() int) int {
	if inside {
		return run()
	}
	inside = true
	dir, err := os.MkdirTemp("", "pf-")
	if err != nil {
		return run()
	}
	in := sweep(dir)
	before := os.Getenv("TMPDIR")
	_ = os.Setenv("TMPDIR", dir)
	code := run()
	_ = os.Setenv("TMPDIR", before)
	_ = os.RemoveAll(dir)
	if in != nil {
		_, _ = io.WriteString(in, "over\n")
		_ = in.Close()
	}
	return code
}

// sweep starts a broom; nil where there is no shell.
func sweep(dir string) io.WriteCloser {
	cmd := exec.Command("/bin/sh", "-c", broom, dir)
	cmd.Dir = "/"
	ownSession(cmd)
	out, in, err := os.Pipe() // not the command's own, which is closed when the command ends
	if err != nil {
		return nil
	}
	defer out.Close()
	if cmd.Stdin = out; cmd.Run() != nil {
		_ = in.Close()
		return nil
	}
	return in
}

// M runs tests as Tests does. It is for a TestMain that has more to do:
// goleak.VerifyTestMain(mortal.M{M: m}, goleak.IgnoreCurrent()).
type M struct{ M interface{ Run() int } }

// Run implements the runner that goleak.VerifyTestMain takes.
func (m M) Run() int { return Tests(m.M.Run) }
