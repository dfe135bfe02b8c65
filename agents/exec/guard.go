package exec

import (
	"io"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
)

// guard is a shell that outlives a killed runtime by a moment: when the pipe
// to it breaks, it kills the group. The parent-death signal reaches the
// command alone, and only on Linux; the real agent is often its child.
type guard struct {
	in      io.WriteCloser
	release func() // the run is over: the guard ends without doing anything
}

// guardScript reads the group's number, then waits for a second line: nothing
// but the end of the runtime makes that fail.
const guardScript = `trap '' HUP INT TERM; read -r group || exit 0; read -r over || kill -s KILL -- "-$group"`

// newGuard starts a guard; where there is no shell, it guards nothing.
func newGuard() *guard {
	cmd := exec.Command("/bin/sh", "-c", guardScript)
	cmd.Env = []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = begin(cmd)
	}
	if err != nil {
		return &guard{release: func() {}}
	}
	g := &guard{in: in}
	g.release = sync.OnceFunc(func() {
		g.say("over")
		in.Close()
		_ = cmd.Wait()
		buried(cmd.Process.Pid)
	})
	return g
}

// watch tells the guard whom to guard.
func (g *guard) watch(group int) { g.say(strconv.Itoa(group)) }

func (g *guard) say(line string) {
	if g.in != nil {
		_, _ = io.WriteString(g.in, line+"\n") // a guard that was killed hears nothing
	}
}
