package tmux

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func (b *bench) content(file string) string {
	b.Helper()
	content, err := os.ReadFile(file)
	b.must(err)
	return string(content)
}

func (b *bench) locks() []string {
	b.Helper()
	names, err := filepath.Glob(filepath.Join(b.dir, "locks", "*"))
	b.must(err)
	return names
}

func TestTargetIsOnePaneExactly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bell := b.bell(Config{})
	programs := map[string]string{} // window -> file
	for _, name := range []string{"dev-10", "pm", "a.1", "two words", "5"} {
		programs[name] = b.reader(name, rawReader)
	}
	second := filepath.Join(b.dir, "second")
	b.tmux("split-window", "-d", "-t", "=lead:=pm", strings.ReplaceAll(rawReader, "FILE", second))
	b.until("it reads", func() bool { _, err := os.Stat(second); return err == nil })
	b.window("twin", "sleep 1000")
	b.window("twin", "sleep 1000")

	for target, want := range map[string]string{
		"lead:dev-1": "there is nothing called exactly lead:dev-1", "lead:dev": "there is nothing called", "lea:dev-10": "there is nothing called",
		"LEAD:dev-10": "there is nothing called", "lead:dev-10.7": "there is nothing called", "%999": "there is nothing called", "lead:99": "there is nothing called",
		"lead:twin": "2 windows match it", "lead:*": "there is nothing called", "lead:!": "there is nothing called", "lead:^": "there is nothing called",
		"lead": "a target is session:window", "": "a target is", ":x": "a target is", "lead:": "a target is",
	} {
		b.refused(bell, b.pane(target), "x", want)
		if _, err := bell.Ring(t.Context(), b.pane(target), "x"); !errors.Is(err, ErrNoPane) {
			t.Errorf("%s: %v", target, err)
		}
	}
	for target, file := range map[string]string{
		"lead:dev-10": programs["dev-10"], "lead:a.1": programs["a.1"], "lead:two words": programs["two words"],
		"lead:5": programs["5"], "lead:pm": programs["pm"], "lead:pm.1": second,
	} {
		before := b.content(file)
		b.want(bell, target, target, Unconfirmed)
		b.wantTyped(file, before+target+"\r")
	}
	index := b.tmux("display-message", "-p", "-t", "=lead:=dev-10", "#{window_index}")
	b.want(bell, "lead:"+index+".0", "by index", Unconfirmed)
	b.wantTyped(programs["dev-10"], "lead:dev-10\rby index\r")
}

// A session that shares the windows of another one lists each pane again.
func TestPaneThatIsInTwoSessionsIsOnePane(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	file := b.reader("dev-1", rawReader)
	b.tmux("new-session", "-d", "-s", "viewer", "-t", "lead")
	id := b.tmux("display-message", "-p", "-t", "=lead:=dev-1", "#{pane_id}")
	b.want(b.bell(Config{}), id, "1", Unconfirmed)
	b.want(b.bell(Config{}), "viewer:dev-1", "2", Unconfirmed)
	b.wantTyped(file, "1\r2\r")
}

func TestPaneThatTakesNoInputIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bell := b.bell(Config{})
	b.tmux("set-option", "-g", "remain-on-exit", "on")
	b.window("dead", "true")
	b.until("it has ended", func() bool {
		return b.tmux("display-message", "-p", "-t", "=lead:=dead", "#{pane_dead}") == "1"
	})
	b.window("off", "cat")
	b.tmux("select-pane", "-d", "-t", "=lead:=off")
	b.window("shared", "cat")
	b.tmux("set-option", "-w", "-t", "=lead:=shared", "synchronize-panes", "on")
	for window, want := range map[string]string{"dead": "has ended", "off": "takes no input", "shared": "shares its input"} {
		b.refused(bell, b.pane("lead:"+window), "x", want)
	}
}

func TestLineThatIsNoLineIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bell := b.bell(Config{})
	b.reader("dev-1", rawReader)
	for line, want := range map[string]string{
		"": "is empty", " \n\x1b": "is empty", "\xff": "not UTF-8",
		strings.Repeat("x", MaxLine+1): "4096 bytes, at most 4095 are allowed; write the text to a file",
		strings.Repeat("x", 100<<10):   "at most",
	} {
		b.refused(bell, b.pane("lead:dev-1"), line, want)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.refused(b.bell(Config{}), Pane{"lead:first", filepath.Join(b.dir, "nowhere")}, "x", "start the session")
	b.refused(b.bell(Config{}), Pane{"lead:first", "prpflow-test-no-such-server"}, "x", "start the session")
	b.refused(b.bell(Config{Command: "no-such-tmux"}), b.pane("lead:first"), "x", "there is no no-such-tmux on PATH")
	b.refused(b.bell(Config{Command: "false"}), b.pane("lead:first"), "x", "exit status 1")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the caller went away"))
	if v, err := b.bell(Config{}).Ring(ctx, b.pane("lead:first"), "x"); v != NotDelivered || err == nil || !strings.Contains(err.Error(), "the caller went away") {
		t.Errorf("%s, %v", v, err)
	}
}

func TestRingerWaitsForTheOtherOneNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bell := b.bell(Config{})
	b.reader("dev-1", rawReader)
	found, err := server{cfg: bell.cfg, socket: b.socket}.find(t.Context(), "lead:dev-1")
	b.must(err)
	unlock, err := lock(t.Context(), bell.cfg.LockDir, found.server+found.id)
	b.must(err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if v, err := bell.Ring(ctx, b.pane("lead:dev-1"), "x"); v != NotDelivered || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%s, %v", v, err)
	}
	unlock()
	b.want(bell, "lead:dev-1", "x", Unconfirmed)
}

// A line that is typed gets its Enter, whatever becomes of the caller.
func TestCallerThatGoesAwayLeavesNoHalfLine(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	file := b.reader("dev-1", rawReader)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	bell := b.bell(Config{})
	bell.cfg.Pause = 500 * time.Millisecond
	go func() {
		for b.content(file) == "" {
			time.Sleep(5 * time.Millisecond)
		}
		cancel()
	}()
	if v, err := bell.Ring(ctx, b.pane("lead:dev-1"), "x"); v != Unconfirmed || err != nil {
		t.Errorf("%s, %v", v, err)
	}
	b.wantTyped(file, "x\r")
}

func TestLockFolderOfOthersIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, prepare := range map[string]func(dir string) error{
		"writable by all": func(dir string) error { return errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o777)) },
		"a link":          func(dir string) error { return os.Symlink(b.dir, dir) },
	} {
		bell := b.bell(Config{})
		bell.cfg.LockDir = filepath.Join(b.dir, "locks of "+name)
		b.must(prepare(bell.cfg.LockDir))
		b.refused(bell, b.pane("lead:first"), "x", "choose another folder for locks")
	}
	bell := b.bell(Config{})
	bell.cfg.LockDir = filepath.Join(b.dir, "file", "locks")
	b.must(os.WriteFile(filepath.Join(b.dir, "file"), nil, 0o600))
	b.refused(bell, b.pane("lead:first"), "x", "not a directory")
}

func TestConfigIsCheckedAndFilled(t *testing.T) {
	t.Parallel()
	for _, cfg := range []Config{{Pause: -1}, {Confirm: -1}, {Timeout: -1}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
	b, err := New(Config{})
	if err != nil || b.cfg.Command != "tmux" || b.cfg.Pause != DefaultPause || b.cfg.Confirm != DefaultConfirm ||
		b.cfg.Timeout != DefaultTimeout || !strings.HasPrefix(b.cfg.LockDir, os.TempDir()) {
		t.Errorf("%+v, %v", b, err)
	}
	for v, want := range map[Verdict]string{NotDelivered: "not delivered", Unconfirmed: "unconfirmed", Delivered: "delivered", 7: "verdict 7"} {
		if v.String() != want {
			t.Errorf("%d is %s", v, v)
		}
	}
}
