package tmux

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/prpflow/prpflow/internal/mortal"
	"github.com/prpflow/prpflow/internal/redistest"
)

// patience is how long a test waits for an event; it proves nothing by itself.
const patience = 20 * time.Second

// brokenCall is the environment of a test binary that plays tmux: "VERB COMMAND"
// has the tmux command hang, fail or answer nonsense, all others are given to the real tmux.
const brokenCall = "TMUX_TEST_BROKEN"

func TestMain(m *testing.M) {
	if broken := os.Getenv(brokenCall); broken != "" {
		playTmux(broken)
	}
	goleak.VerifyTestMain(mortal.M{M: m}, goleak.IgnoreCurrent())
}

func playTmux(broken string) {
	verb, command, _ := strings.Cut(broken, " ")
	if slices.Contains(os.Args, command) {
		switch verb {
		case "hang":
			time.Sleep(time.Hour)
		case "garble":
			_, _ = os.Stdout.WriteString("?\n")
			os.Exit(0)
		}
		_, _ = os.Stderr.WriteString("broken by a test\n")
		os.Exit(1)
	}
	path, err := exec.LookPath("tmux")
	if err == nil {
		err = syscall.Exec(path, append([]string{"tmux"}, os.Args[1:]...), os.Environ())
	}
	panic(err)
}

// bench is one test's tmux server, with a session called lead.
type bench struct {
	*testing.T
	dir    string // short, for a socket's path may not be long
	socket string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	redistest.Command(t, "tmux", "tmux")
	dir, err := os.MkdirTemp("", "tmux-")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, dir: dir, socket: filepath.Join(dir, "s")}
	t.Cleanup(func() {
		b.tmux("kill-server")
		_ = os.RemoveAll(dir)
	})
	b.tmux("-f", "/dev/null", "new-session", "-d", "-s", "lead", "-n", "first", "-x", "80", "-y", "24", "sleep 1000")
	return b
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// tmux runs a command on the test's own server.
func (b *bench) tmux(args ...string) string {
	b.Helper()
	cmd := exec.Command("tmux", append([]string{"-u", "-S", b.socket}, args...)...)
	cmd.Dir = b.dir // of the server too, by which it is found where this process is killed
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("tmux %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// window opens a window with a program, and answers the id of its pane.
func (b *bench) window(name, program string) string {
	b.Helper()
	return b.tmux("new-window", "-d", "-P", "-F", "#{pane_id}", "-t", "=lead:", "-n", name, program)
}

// reader opens a window with a program that writes what is typed to a file; in
// program FILE stands for it. It returns once the file is there.
func (b *bench) reader(name, program string) (file string) {
	b.Helper()
	f, err := os.CreateTemp(b.dir, "typed-")
	b.must(err)
	b.must(errors.Join(f.Close(), os.Remove(f.Name())))
	b.window(name, strings.ReplaceAll(program, "FILE", f.Name()))
	b.until("the program reads", func() bool { _, err := os.Stat(f.Name()); return err == nil })
	return f.Name()
}

// Programs for reader.
const (
	rawReader  = "stty raw -echo; cat >FILE" // sees every key; nothing is shown
	lineReader = "tee FILE"                  // shows what is typed, and repeats it
)

// bell is a bell that is quicker than a person's.
func (b *bench) bell(cfg Config) *Bell {
	b.Helper()
	cfg.Pause, cfg.LockDir = 50*time.Millisecond, filepath.Join(b.dir, "locks")
	if cfg.Confirm == 0 {
		cfg.Confirm = 500 * time.Millisecond
	}
	bell, err := New(cfg)
	b.must(err)
	return bell
}

func (b *bench) pane(target string) Pane { return Pane{Target: target, Socket: b.socket} }

// want rings and compares the verdict.
func (b *bench) want(bell *Bell, target, line string, want Verdict) {
	b.Helper()
	got, err := bell.Ring(b.Context(), b.pane(target), line)
	if got != want || err != nil {
		b.Errorf("%.80q to %s: %s, %v, want %s", line, target, got, err, want)
	}
}

// refused rings and compares what the error says.
func (b *bench) refused(bell *Bell, pane Pane, line, want string) {
	b.Helper()
	got, err := bell.Ring(b.Context(), pane, line)
	if got != NotDelivered || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		b.Errorf("%.80q to %s: %s, %v, want %q", line, pane.Target, got, err, want)
	}
}

func (b *bench) until(what string, happened func() bool) {
	b.Helper()
	for end := time.Now().Add(patience); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("it never happened: %s", what)
		}
	}
}

// wantTyped waits for a file to have some content, and sees that it stays so.
func (b *bench) wantTyped(file, want string) {
	b.Helper()
	read := func() string {
		content, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			b.Fatal(err)
		}
		return string(content)
	}
	for end := time.Now().Add(patience); len(read()) < len(want) && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond)
	if got := read(); got != want {
		b.Errorf("typed %.200q (%d bytes), want %.200q (%d)", got, len(got), want, len(want))
	}
}
