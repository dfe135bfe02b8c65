package exec_test

import (
	"encoding/json"
	"os"
	osexec "os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/prpflow/prpflow/agents/exec"
	"github.com/prpflow/prpflow/agents/internal/proc"
)

// orphan is what a killed runtime has left: a process that leads a group.
type orphan struct {
	t    *testing.T
	dir  string // of the run
	cmd  *osexec.Cmd
	done chan struct{}
}

func newOrphan(t *testing.T, env ...string) *orphan {
	t.Helper()
	o := &orphan{t: t, dir: t.TempDir(), done: make(chan struct{})}
	o.cmd = osexec.Command("/bin/sleep", "90")
	o.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return o
}

// ofTheRun gives it the variable that the run's processes have.
func (o *orphan) ofTheRun() *orphan {
	o.cmd.Env = append(o.cmd.Env, "PRPFLOW_RESULT_FILE="+filepath.Join(o.dir, "result.json"))
	return o
}

func (o *orphan) start() *orphan {
	o.t.Helper()
	if err := o.cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	go func() { _ = o.cmd.Wait(); close(o.done) }()
	o.t.Cleanup(func() { _ = o.cmd.Process.Kill(); <-o.done })
	return o
}

// noted writes what the runtime noted of its group.
func (o *orphan) noted(change func(note map[string]any)) *orphan {
	o.t.Helper()
	note := map[string]any{"pgid": o.cmd.Process.Pid, "start_time": "1", "boot_id": proc.BootID(), "pid_ns": proc.Namespace()}
	if p, err := proc.Read(o.cmd.Process.Pid); err == nil {
		note["start_time"] = p.Start
	}
	change(note)
	b, err := json.Marshal(note)
	if err == nil {
		err = os.WriteFile(o.dir+".group", b, 0o600)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return o
}

func asItWas(map[string]any) {}

func (o *orphan) reap() {
	o.t.Helper()
	began := time.Now()
	if err := (exec.Adapter{}).Reap(o.dir); err != nil {
		o.t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		o.t.Errorf("it took %s", took)
	}
}

func (o *orphan) lives() bool {
	p, err := proc.Read(o.cmd.Process.Pid)
	return err == nil && p.Alive()
}

func TestReapEndsTheGroupThatTheFolderTells(t *testing.T) {
	t.Parallel()
	o := newOrphan(t).start().noted(asItWas) // it has cleared its environment
	o.reap()
	if o.lives() {
		t.Error("it still runs")
	}
}

func TestReapLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(map[string]any){
		"that has the number now":   func(note map[string]any) { note["start_time"] = "1" },
		"of another boot":           func(note map[string]any) { note["boot_id"] = "other" },
		"of another container":      func(note map[string]any) { note["pid_ns"] = "pid:[1]" },
		"of whom nothing was noted": func(note map[string]any) { note["pgid"] = 0 },
	} {
		o := newOrphan(t, "PRPFLOW_RESULT_FILE=/another/run/result.json").start().noted(change)
		o.reap()
		if !o.lives() {
			t.Errorf("it killed a process %s", what)
		}
	}
}

func TestReapFindsTheGroupOfADeadLeader(t *testing.T) {
	t.Parallel()
	o := newOrphan(t)
	o.cmd = osexec.Command("/bin/sh", "-c", `sleep 90 & echo $! >"$D/child"`)
	o.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "D=" + o.dir}
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	o.ofTheRun().start()
	<-o.done
	o.noted(asItWas).reap()
	s := &script{t: t}
	s.task.Dir = filepath.Join(o.dir, "run") // its files are looked for beside it
	s.dead("child")
}

func TestReapFindsARunWhoseGroupIsNotKnown(t *testing.T) {
	t.Parallel()
	write := func(text string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(text), 0o600) }
	}
	for what, spoil := range map[string]func(path string) error{
		"nothing":     func(string) error { return nil },
		"half a note": write(`{"pgid":`),
		"no number":   write(`{"pgid":1e99,"boot_id":"x"}`),
		"everybody":   write(`{"pgid":-1,"boot_id":"x"}`),
		"a pipe":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a folder":    func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		o := newOrphan(t).ofTheRun().start()
		if err := spoil(o.dir + ".group"); err != nil {
			t.Fatal(err)
		}
		o.reap()
		if o.lives() {
			t.Errorf("with %s in place of the note it still runs", what)
		}
	}
}
