package redisconn

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/mortal"
	"github.com/prpflow/prpflow/internal/redistest"
)

// logbook is a log that tests read while it is written.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logbook) count(what string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), what)
}

const again = "redis-server has ended, starting it again"

// use makes this process a user of the server of a folder.
func use(t *testing.T, dir string, log *logbook) *LocalServer {
	t.Helper()
	redistest.Command(t, "redis", "redis-server")
	s, err := StartLocal(t.Context(), dir, slog.New(slog.NewTextHandler(log, nil)))
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// pidOf is the process that answers at an address, 0 where none does.
func pidOf(t *testing.T, address string) int {
	t.Helper()
	pid, _ := strconv.Atoi(info(t.Context(), open(t, address, Options{}).(*redis.Client), "server")["process_id"])
	return pid
}

// gone reports whether a process has ended; one that nobody has reaped has not.
func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// runs reports whether a process still runs; one that nobody has reaped does not.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if _, none := os.Stat("/proc/self"); none != nil {
		return !gone(pid)
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}

// servers are the redis-servers that have their data in a folder.
func servers(t *testing.T, dir string) (pids []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*")
	must(t, err)
	if len(all) == 0 {
		t.Skip("without /proc processes cannot be counted")
	}
	for _, p := range all {
		pid, _ := strconv.Atoi(filepath.Base(p))
		cwd, _ := os.Readlink(p + "/cwd")
		comm, _ := os.ReadFile(p + "/comm")
		if cwd == filepath.Join(dir, localFolder) && strings.HasPrefix(string(comm), "redis-server") && runs(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("20 s later still not: %s", what)
		}
	}
}

func TestALocalServerKeepsItsDataAndIsFound(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), &logbook{}
	s := use(t, dir, log)
	if address, file, err := Find(dir, ""); err != nil || address != s.URL || !strings.HasSuffix(file, urlFile) {
		t.Errorf("found %q in %q, %v; started %q", address, file, err, s.URL)
	}
	rdb := open(t, s.URL, Options{})
	must(t, Ping(t.Context(), rdb))
	must(t, rdb.Set(t.Context(), "k", "v", 0).Err())
	if policy := rdb.ConfigGet(t.Context(), "maxmemory-policy").Val()["maxmemory-policy"]; policy != "noeviction" {
		t.Errorf("policy %q", policy)
	}
	pid := pidOf(t, s.URL)
	for range 2 { // twice is once
		must(t, s.Close())
	}
	if !gone(pid) {
		t.Error("it still runs after the only user has left")
	}
	back := use(t, dir, log)
	if v := open(t, back.URL, Options{}).Get(t.Context(), "k").Val(); v != "v" || back.URL != s.URL {
		t.Errorf("the data is gone: %q at %s", v, back.URL)
	}
	if n := log.count("level="); n > 0 {
		t.Errorf("%d lines were logged, and nothing happened", n)
	}
}

func TestALocalServerAnswersItsOwnerOnly(t *testing.T) {
	t.Parallel()
	s := use(t, t.TempDir(), &logbook{})
	socket := strings.TrimPrefix(s.URL, "unix://")
	got, err := os.Stat(socket)
	if err != nil || got.Mode().Type() != os.ModeSocket || got.Mode().Perm() != 0o600 {
		t.Errorf("the socket is %v, %v", got.Mode(), err)
	}
	if folder, err := os.Stat(filepath.Dir(socket)); err != nil || folder.Mode().Perm() != 0o700 {
		t.Errorf("its folder is %v, %v", folder.Mode(), err)
	}
	rdb := open(t, s.URL, Options{})
	for _, port := range []string{"port", "tls-port"} {
		if v := rdb.ConfigGet(t.Context(), port).Val()[port]; v != "0" {
			t.Errorf("%s is %q", port, v)
		}
	}
	if Address(rdb) != socket {
		t.Errorf("messages call it %s", Address(rdb))
	}
}

func TestALongPathHasItsSocketInAPrivateFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 25))
	s := use(t, dir, &logbook{})
	socket := strings.TrimPrefix(s.URL, "unix://")
	folder, err := os.Lstat(filepath.Dir(socket))
	if err != nil || len(socket) > longestSocket || folder.Mode() != os.ModeDir|0o700 || strings.HasPrefix(socket, dir) {
		t.Errorf("%s is in %v, %v", socket, folder.Mode(), err)
	}
	must(t, Ping(t.Context(), open(t, s.URL, Options{})))
	must(t, s.Close())
	if _, err := os.Lstat(filepath.Dir(socket)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder stays behind: %v", err)
	}
}

func TestTheLastUserEndsTheServer(t *testing.T) {
	t.Parallel()
	for _, starter := range []string{"first", "last"} {
		dir, log := t.TempDir(), &logbook{}
		users := map[string]*LocalServer{"starter": use(t, dir, log), "finder": use(t, dir, log)}
		pid := pidOf(t, users["finder"].URL)
		order := []string{"starter", "finder"}
		if starter == "last" {
			order = []string{"finder", "starter"}
		}
		must(t, users[order[0]].Close())
		must(t, Ping(t.Context(), open(t, users[order[1]].URL, Options{})))
		must(t, users[order[1]].Close())
		if runs(pid) {
			t.Errorf("the starter leaves %s: the server still runs", starter)
		}
		until(t, "no zombie is left", func() bool { return gone(pid) })
	}
}

// A process that uses the server, until it is killed.
func TestAUserInAnotherProcess(t *testing.T) {
	dir := os.Getenv("REDISCONN_TEST_FOLDER")
	if dir == "" {
		t.Skip("only for the tests below, which start it in a process of its own")
	}
	s := use(t, dir, &logbook{})
	fmt.Printf("\nserver %d\n", pidOf(t, s.URL))
	select {}
}

// another starts such a process, and gives it and the server's pid.
func another(t *testing.T, dir string) (user *exec.Cmd, server int) {
	t.Helper()
	user = exec.Command(os.Args[0], "-test.run=^TestAUserInAnotherProcess$")
	user.Env = append(os.Environ(), "REDISCONN_TEST_FOLDER="+dir)
	out, err := user.StdoutPipe()
	must(t, err)
	must(t, mortal.Start(user))
	t.Cleanup(func() { _, _ = user.Process.Kill(), user.Wait() })
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); said = append(said, lines.Text()) {
		if pid, ok := strings.CutPrefix(lines.Text(), "server "); ok {
			server, err = strconv.Atoi(pid)
			must(t, err)
			return user, server
		}
	}
	t.Fatalf("it says %q", said)
	return nil, 0
}

func TestWhoFindsTheServerOfAKilledProcessEndsIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	starter, pid := another(t, dir)
	must(t, starter.Process.Kill())
	_ = starter.Wait()
	s := use(t, dir, &logbook{})
	if got := pidOf(t, s.URL); got != pid {
		t.Fatalf("the server %d is not reused, %d runs", pid, got)
	}
	must(t, s.Close())
	if runs(pid) {
		t.Error("nobody uses the server, and it runs")
	}
}

func TestAKilledServerIsStartedAgainWithItsData(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), &logbook{}
	s := use(t, dir, log)
	rdb := open(t, s.URL, Options{Profile: LongLived})
	must(t, rdb.Set(t.Context(), "k", "v", 0).Err())
	for n := 1; n <= 2; n++ {
		pid := pidOf(t, s.URL)
		must(t, syscall.Kill(pid, syscall.SIGKILL)) // it leaves its socket behind
		until(t, "what was answered is back", func() bool { return rdb.Get(t.Context(), "k").Val() == "v" && pidOf(t, s.URL) != pid })
		until(t, "no zombie is left", func() bool { return gone(pid) })
		must(t, use(t, dir, log).Close()) // it comes in when the start is over
		if log.count(again) != n || log.count("level=") != n {
			t.Errorf("after %d deaths the log has %s", n, log.text.String())
		}
	}
}

func TestTwoUsersStartAKilledServerOnce(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), &logbook{}
	one := use(t, dir, log)
	other, pid := another(t, dir)
	two := use(t, dir, log)
	for range 5 {
		must(t, syscall.Kill(pid, syscall.SIGKILL))
		until(t, "it is back", func() bool {
			now := pidOf(t, one.URL)
			return now != 0 && now != pid
		})
		if pids := servers(t, dir); len(pids) != 1 || pids[0] != pidOf(t, two.URL) {
			t.Fatalf("these run: %v", pids)
		}
		pid = pidOf(t, two.URL)
		soon, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		three, err := StartLocal(soon, dir, slog.New(slog.DiscardHandler))
		cancel()
		if err != nil {
			t.Fatalf("a third user cannot come soon: %v", err)
		}
		must(t, three.Close())
	}
	if n := log.count(again); n > 5 {
		t.Errorf("5 deaths were told %d times", n)
	}
	must(t, other.Process.Kill())
	_ = other.Wait()
	must(t, one.Close())
	if !runs(pid) {
		t.Error("one user is left, and the server is gone")
	}
	must(t, two.Close())
	if pids := servers(t, dir); len(pids) > 0 {
		t.Errorf("nobody is left, and these run: %v", pids)
	}
}

func TestAServerThatHangsIsWaitedFor(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), &logbook{}
	s := use(t, dir, log)
	pid := pidOf(t, s.URL)
	must(t, syscall.Kill(pid, syscall.SIGSTOP))
	found := make(chan *LocalServer, 1)
	go func() {
		two, err := StartLocal(context.WithoutCancel(t.Context()), dir, slog.New(slog.NewTextHandler(log, nil)))
		if err != nil {
			t.Error(err)
		}
		found <- two
	}()
	until(t, "it is said that it hangs", func() bool { return log.count("waiting for redis-server") == 1 })
	must(t, syscall.Kill(pid, syscall.SIGCONT))
	two := <-found
	if now := pidOf(t, two.URL); now != pid {
		t.Errorf("another one was started: %d beside %d", now, pid)
	}
	must(t, two.Close())
}

func TestAServerWithoutItsSocketKeepsItsDataToItself(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := use(t, dir, &logbook{})
	pid := pidOf(t, s.URL)
	must(t, os.Remove(strings.TrimPrefix(s.URL, "unix://")))
	_, err := StartLocal(t.Context(), dir, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "end it first") {
		t.Errorf("a second server on the same data: %v", err)
	}
	if !runs(pid) {
		t.Error("the first one was ended")
	}
	must(t, s.Close())
	if !gone(pid) {
		t.Error("it still runs")
	}
}

func TestAServerThatCannotStartIsSaidOnceAndTriedAgain(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), &logbook{}
	s := use(t, dir, log)
	folder := filepath.Join(dir, localFolder)
	aof := filepath.Join(folder, "appendonlydir")
	must(t, os.Rename(aof, aof+"2"))
	must(t, os.WriteFile(aof, nil, 0o600)) // a file where its folder must be
	must(t, syscall.Kill(pidOf(t, s.URL), syscall.SIGKILL))
	until(t, "it is said that it cannot start", func() bool { return log.count("cannot be started again") == 1 })
	must(t, os.Remove(aof))
	must(t, os.Rename(aof+"2", aof))
	until(t, "it is back", func() bool { return open(t, s.URL, Options{}).Ping(t.Context()).Err() == nil })
	if log.count(again) != 1 || log.count("cannot be started again") != 1 {
		t.Errorf("the log has %s", log.text.String())
	}
}
