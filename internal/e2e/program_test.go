package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/prpflow/prpflow/internal/mortal"
)

// answer is what a command that has ended left.
type answer struct {
	code        int
	out, errout string
}

// patience bounds a command that looks or tells: it must not hang.
const patience = 30 * time.Second

// run executes one command of the program in the world's folder.
func (w *world) run(args ...string) answer { return w.runFor(patience, args...) }

func (w *world) runFor(limit time.Duration, args ...string) answer {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, built.path, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	var out, errout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errout
	err := mortal.Run(cmd)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		w.t.Fatalf("prpflow %s has not ended after %s: %s", strings.Join(args, " "), limit, &errout)
	case err != nil && !errors.As(err, &exit):
		w.t.Fatal(err)
	}
	return answer{cmd.ProcessState.ExitCode(), out.String(), errout.String()}
}

// want runs a command that must exit with the given code.
func (w *world) want(code int, args ...string) answer {
	w.t.Helper()
	a := w.run(args...)
	if a.code != code {
		w.t.Fatalf("prpflow %s: exit %d, want %d\n%s%s", strings.Join(args, " "), a.code, code, a.out, a.errout)
	}
	return a
}

// sentence checks that an error is one sentence, without a log or a trace.
func (w *world) sentence(a answer) {
	w.t.Helper()
	lines := strings.Count(strings.TrimRight(a.errout, "\n"), "\n") + 1
	if strings.TrimSpace(a.errout) == "" || lines > 3 || strings.Contains(a.errout, "goroutine ") {
		w.t.Errorf("want one clear sentence on stderr, got %q", a.errout)
	}
}

// process is a part of the program that goes on until it is told to end.
type process struct {
	w    *world
	cmd  *exec.Cmd
	done chan struct{}
}

// start runs the program in the background; what it prints goes to NAME.log.
func (w *world) start(name string, args ...string) *process {
	return w.startWith(nil, name, args...)
}

func (w *world) startWith(env []string, name string, args ...string) *process {
	w.t.Helper()
	return w.startProgram(built.path, env, name, args...)
}

// startProgram runs a program in the background.
func (w *world) startProgram(program string, env []string, name string, args ...string) *process {
	w.t.Helper()
	log, err := os.OpenFile(w.path(name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		w.t.Fatal(err)
	}
	defer log.Close() // the child has its own copy
	p := &process{w: w, cmd: exec.Command(program, args...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = w.dir, append(append([]string{}, w.env...), env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := mortal.Start(p.cmd); err != nil {
		w.t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	w.t.Cleanup(func() { p.end() })
	return p
}

// end stops a process at the end of its test: in order, so that it can say what
// it covered, and by force where it does not listen.
func (p *process) end() {
	p.signal(syscall.SIGCONT)
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
		p.kill()
	}
}

// signal sends a signal; one to a process that has ended is no error.
func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// kill is SIGKILL, and returns once the process is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// ends waits for the end, and gives the exit code.
func (p *process) ends(limit time.Duration) int {
	p.w.t.Helper()
	select {
	case <-p.done:
	case <-time.After(limit):
		p.w.t.Fatalf("process %v still runs after %s\n%s", p.cmd.Args[1:], limit, p.w.logs())
	}
	return p.cmd.ProcessState.ExitCode()
}
