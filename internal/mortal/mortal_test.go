//go:build linux

package mortal

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// victim makes the test binary one that is killed: it says which folder it has, and who
// its children are, then waits.
const victim = "MORTAL_TEST_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(victim) == "" {
		os.Exit(m.Run())
	}
	os.Exit(Tests(func() int {
		dir := os.TempDir()
		tied := exec.Command("/bin/sh", "-c", "trap '' TERM; sleep 90")
		server := exec.Command("/bin/sleep", "90") // outlives who started it
		server.Dir = filepath.Join(dir, "data")
		server.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if os.Mkdir(server.Dir, 0o700) != nil || Start(tied) != nil || server.Start() != nil {
			return 1
		}
		println(dir, tied.Process.Pid, server.Process.Pid)
		time.Sleep(time.Hour)
		return 0
	}))
}

func TestKilledTestsLeaveNeitherProcessNorFolder(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victim+"=1")
	out, err := cmd.StderrPipe()
	if err == nil {
		err = Start(cmd)
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	left := strings.Fields(line)
	if err != nil || len(left) != 3 {
		t.Fatalf("it says %q, %v", line, err)
	}
	if _, err := os.Stat(left[0]); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		lives := 0
		for _, pid := range left[1:] {
			if n, err := strconv.Atoi(pid); err == nil && !errors.Is(syscall.Kill(n, 0), syscall.ESRCH) && !zombie(n) {
				lives++
			}
		}
		_, err := os.Stat(left[0])
		if lives == 0 && errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("10 s later %d processes live, and of the folder: %v", lives, err)
		}
	}
}

// zombie says whether a process only waits to be buried by somebody else.
func zombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(stat), ") Z ")
}
