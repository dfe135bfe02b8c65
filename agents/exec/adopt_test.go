//go:build linux

package exec_test

import (
	"context"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/agents/exec"
	"github.com/prpflow/prpflow/agents/internal/proc"
	"github.com/prpflow/prpflow/internal/mortal"
	"github.com/prpflow/prpflow/tasks"
)

// parentDir names the folder in which the test binary is a program that adopts what
// its runs leave behind.
const parentDir = "EXEC_TEST_PARENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentDir); dir != "" {
		os.Exit(runParent(dir))
	}
	os.Exit(mortal.M{M: m}.Run())
}

// hiding leaves a process without a mark, in a session of its own, whose parent is gone;
// and one that ends as nobody's child.
const hiding = `for i in 1 2 3; do (env -i setsid /bin/sh -c 'trap "" TERM HUP; echo $$ >>"$0"; exec /bin/sleep 90' "$D/hidden-$N" >/dev/null 2>&1 &); done
(setsid /bin/sh -c 'sleep 0.05' &)
until [ "$(wc -l <"$D/hidden-$N")" = 3 ] 2>/dev/null; do sleep 0.01; done; `

func runParent(dir string) int {
	if err := exec.Adopt(nil); err != nil {
		return 3
	}
	run := func(n, rest string) chan tasks.Result {
		task := agents.Task{
			Assignment: tasks.Assignment{Job: tasks.Job{ID: "PRP-" + n + ":1:ab", PRP: "PRP-" + n, Fence: 1, Type: "prp.develop"}, Attempt: 1},
			Agent:      agents.Spec{Name: "dev", Role: "developer", Exec: &agents.Exec{Command: []string{"/bin/sh", "-c", hiding + rest}, Prompt: agents.PromptFile, Env: map[string]string{"D": dir, "N": n}}},
			Dir:        filepath.Join(dir, n), Log: &agents.Log{},
		}
		h, err := exec.Adapter{}.Handler(task.Agent)
		if err != nil || os.Mkdir(task.Dir, 0o700) != nil {
			os.Exit(4)
		}
		done := make(chan tasks.Result, 1)
		go func() { done <- h.Run(context.Background(), task) }()
		return done
	}
	long := run("long", `until [ -e "$D/over" ]; do sleep 0.01; done`)
	for living(dir, "long") != 3 {
		time.Sleep(5 * time.Millisecond)
	}
	if r := <-run("short", `exit 0`); r.Outcome != tasks.Done {
		return 5
	}
	if living(dir, "long") != 3 {
		return 6 // those of another run were taken
	}
	// What began after the long run may be its own, and goes with it.
	if os.WriteFile(filepath.Join(dir, "over"), nil, 0o600) != nil || (<-long).Outcome != tasks.Done {
		return 7
	}
	if living(dir, "long") != 0 || living(dir, "short") != 0 {
		return 8
	}
	for end := time.Now().Add(5 * time.Second); children() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			return 9
		}
	}
	return 0
}

// living counts what a run has left that lives.
func living(dir, n string) (count int) {
	text, _ := os.ReadFile(filepath.Join(dir, "hidden-"+n))
	for line := range strings.Lines(string(text)) {
		pid, _ := strconv.Atoi(strings.TrimSpace(line))
		if p, err := proc.Read(pid); err == nil && p.Alive() {
			count++
		}
	}
	return count
}

// children counts those of this process, dead ones too.
func children() (count int) {
	all, _ := proc.All()
	for _, p := range all {
		if p.Parent == os.Getpid() {
			count++
		}
	}
	return count
}

func TestAdoptedProcessesGoWithTheirRunAndLeaveNoZombie(t *testing.T) {
	t.Parallel()
	cmd := osexec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), parentDir+"="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the program says %v: %s", err, out)
	}
}
