package exec

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prpflow/prpflow/agents"
)

// process is a running command and the group that it leads.
type process struct {
	cmd    *exec.Cmd
	group  group
	note   string // file that tells it
	guard  *guard
	marker string // variable that its processes have
	began  time.Time
	exited chan struct{} // the command itself has ended; its children may live

	reap  func() // sync.OnceFunc: takes the exit code, from then on the pid may be another's
	pipes []*os.File
	read  sync.WaitGroup // of the pipes' readers
	last  atomic.Int64   // when it said something, unix nanoseconds
	out   tail
	err   tail
}

// start starts the command as leader of a group of its own.
func start(p plan, log *agents.Log) (*process, error) {
	c := &process{
		cmd: exec.Command(p.argv[0], p.argv[1:]...), marker: resultVariable + "=" + p.result,
		note: p.group, began: time.Now(), exited: make(chan struct{}),
	}
	c.last.Store(c.began.UnixNano())
	c.cmd.Env, c.cmd.Dir = p.env, p.dir
	c.cmd.SysProcAttr = attributes()
	c.cmd.SysProcAttr.Credential = p.who.credential()
	if p.stdin != "" {
		in, err := os.Open(p.stdin)
		if err != nil {
			return nil, err
		}
		defer in.Close()
		c.cmd.Stdin = in
	} // else /dev/null: a pipe left open would make many a command wait for it
	closeChild, err := c.connect(log)
	defer closeChild()
	if err != nil {
		return nil, err
	}
	c.guard = newGuard()
	if err := c.launch(); err != nil {
		c.guard.release()
		closeChild()
		c.hangUp(0)
		return nil, err
	}
	c.group = newGroup(c.cmd.Process.Pid)
	begins(c)
	c.guard.watch(c.group.ID)
	if err := c.group.save(p.group); err != nil {
		log.Printf("prpflow: the process group could not be noted: %v", err)
	}
	return c, nil
}

// launch starts the command on a thread that stays until the command ends: on
// Linux the parent-death signal comes when the starting *thread* ends.
func (c *process) launch() error {
	started := make(chan error, 1)
	c.reap = sync.OnceFunc(func() {
		_ = c.cmd.Wait() // the exit code is read from ProcessState
		buried(c.cmd.Process.Pid)
	})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := begin(c.cmd)
		started <- err
		if err != nil {
			return
		}
		awaitExit(c)
		close(c.exited)
	}()
	return <-started
}

// connect gives the command pipes of our own: the readers of os/exec would
// wait for every child that has inherited one. What is returned closes the
// command's ends in this process.
func (c *process) connect(log *agents.Log) (closeChild func(), err error) {
	var child []*os.File
	closeChild = sync.OnceFunc(func() {
		for _, f := range child {
			f.Close()
		}
	})
	for _, to := range []struct {
		file *io.Writer
		tail *tail
	}{{&c.cmd.Stdout, &c.out}, {&c.cmd.Stderr, &c.err}} {
		r, w, err := os.Pipe()
		if err != nil {
			return closeChild, err
		}
		child = append(child, w)
		c.pipes = append(c.pipes, r)
		*to.file = w
		c.read.Go(func() { c.listen(r, io.MultiWriter(log, to.tail)) })
	}
	return closeChild, nil
}

// listen reads what is said, in pieces of any size: there are no long lines.
func (c *process) listen(from *os.File, to io.Writer) {
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			c.last.Store(time.Now().UnixNano())
			_, _ = to.Write(buf[:n]) // neither of them fails
		}
		if err != nil {
			return
		}
	}
}

// hangUp stops listening a while after the group has gone: somebody who left
// it may still hold a pipe.
func (c *process) hangUp(after time.Duration) {
	deadline := time.Now().Add(after)
	for _, r := range c.pipes {
		_ = r.SetReadDeadline(deadline) // fails where it is closed already
	}
	c.read.Wait()
}

// ended says whether one of the signals ended the command. A shell that caught one
// says so by its exit code.
func (c *process) ended(by ...syscall.Signal) bool {
	status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok {
		return false
	}
	for _, s := range by {
		if status.Signaled() && status.Signal() == s || status.Exited() && status.ExitStatus() == 128+int(s) {
			return true
		}
	}
	return false
}

// spoke tells when the command said something last, at first when it began.
func (c *process) spoke() time.Time { return time.Unix(0, c.last.Load()) }

// lastWords are the last lines of standard error, else of standard output:
// some commands tell the reason there.
func (c *process) lastWords() string {
	if said := c.err.lines(); said != "" {
		return said
	}
	return c.out.lines()
}

// tail keeps the end of what is written to it. One writer, read after its end.
type tail struct{ b []byte }

const (
	tailBytes = 4 << 10
	tailLines = 10
)

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p[max(0, len(p)-tailBytes):]...)
	if over := len(t.b) - tailBytes; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

func (t *tail) lines() string {
	lines := strings.Split(strings.TrimSpace(agents.Printable(string(t.b))), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}
