package proc

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"testing"
)

func TestStatIsCountedFromTheEndOfTheName(t *testing.T) {
	t.Parallel()
	p, err := parse(7, "7 (a) b (c)) S 1 42 42 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 353820 0 0")
	if want := (Process{7, 1, 'S', 42, "353820"}); err != nil || p != want {
		t.Errorf("got %+v, %v, want %+v", p, err, want)
	}
	for _, bad := range []string{"", "7 (a) S", "7 (a) S 1 x 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"} {
		if _, err := parse(7, bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestProcessesAreFoundByWhatTheyWereStartedWith(t *testing.T) {
	t.Parallel()
	if BootID() == "" || Namespace() == "" {
		t.Skip("no /proc here")
	}
	cmd := exec.Command("cat")
	cmd.Env = []string{"MARK=here"}
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := Read(cmd.Process.Pid)
	if err != nil || !p.Alive() || p.Start == "" {
		t.Errorf("got %+v, %v", p, err)
	}
	if HasEnv(p.PID, "MARK=her") || !HasEnv(p.PID, "MARK=here") || HasEnv(os.Getpid(), "MARK=here") {
		t.Error("the variable is not told apart")
	}
	all, err := All()
	if err != nil || !slices.ContainsFunc(all, func(q Process) bool { return q.PID == p.PID && q.Start == p.Start && q.Group == p.Group }) {
		t.Errorf("it is not among %d processes: %v", len(all), err)
	}
	if HasEnv(1<<30, "MARK=here") {
		t.Error("a process that is not has the variable")
	}
	in.Close()
	_ = cmd.Wait()
	if _, err := Read(p.PID); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a process that has ended: %v", err)
	}
}
