package tmux

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var oddLines = map[string]string{ // line -> what arrives
	"plain":                       "plain",
	"ends in ;":                   "ends in ;",
	";":                           ";",
	`\;`:                          `\;`,
	"-n -l --":                    "-n -l --",
	`quotes ' " and \ `:           `quotes ' " and \ `,
	"$HOME `id` $(id) #{pane_id}": "$HOME `id` $(id) #{pane_id}",
	"Grüße 漢字 🚀 e\u0301":          "Grüße 漢字 🚀 e\u0301",
	"Enter C-c Escape":            "Enter C-c Escape",
	"  spaces around  ":           "  spaces around  ",
	"two\nlines\r\nand\ta tab":    "two lines  and a tab",
	"a\x1b[201~b\x1b[31m\x07\x00\x03\x7f\u009bc":   "a[201~b[31mc",
	"read /tmp/a file.md [nonce 4f2a] \u2028 done": "read /tmp/a file.md [nonce 4f2a]   done",
	strings.Repeat("x", MaxLine):                   strings.Repeat("x", MaxLine),
}

func TestLineArrivesAsItIsAndEnterFollows(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	bell := b.bell(Config{})
	file := b.reader("dev-1", rawReader)
	var want strings.Builder
	for line, typed := range oddLines {
		b.want(bell, "lead:dev-1", line, Unconfirmed) // nothing is shown
		want.WriteString(typed + "\r")
		b.wantTyped(file, want.String())
	}
}

func TestLineOfFullLengthFitsATerminalInLineMode(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	file := b.reader("dev-1", "cat >FILE")
	long := strings.Repeat("0123456789", 500)[:MaxLine]
	if _, err := b.bell(Config{}).Ring(t.Context(), b.pane("lead:dev-1"), long); err != nil {
		t.Error(err)
	}
	b.wantTyped(file, long+"\n")
}

func TestProgramThatAsksForItGetsAPasteThatTheLineCannotLeave(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	file := b.reader("dev-1", `stty raw -echo; printf '\033[?2004hready'; cat >FILE`)
	b.until("tmux knows", func() bool { return b.tmux("capture-pane", "-p", "-t", "=lead:=dev-1") == "ready" })
	b.want(b.bell(Config{}), "lead:dev-1", "a\x1b[201~\nrm -rf x", Unconfirmed)
	b.wantTyped(file, "\x1b[200~a[201~ rm -rf x\x1b[201~\r")
}

func TestVerdictTellsWhetherTheLineWasTaken(t *testing.T) {
	t.Parallel()
	// A full-screen program with an input field in a frame, which takes Enter for a
	// line break.
	const field = `stty raw -echo; touch FILE; printf '\033[2J\033[H-- field --\r\n\r\n> '; cat`
	for name, c := range map[string]struct {
		program string
		want    Verdict
	}{
		"it repeats the line":                   {"tee FILE", Delivered},
		"a shell":                               {`touch FILE; PS1='$ ' exec sh -i`, Delivered},
		"it clears the screen":                  {`touch FILE; while read -r l; do clear; done`, Delivered},
		"it shows it and answers":               {`touch FILE; while read -r l; do echo thanks; done`, Delivered},
		"it does not read, the terminal echoes": {"touch FILE; exec sleep 1000", Unconfirmed},
		"it shows nothing":                      {"stty -echo; cat >FILE", Unconfirmed},
		"a field that takes Enter for a break":  {field, Unconfirmed},
		"a clock ticks, nothing is shown":       {`stty raw -echo; touch FILE; while :; do date +%N; sleep 0.05; done`, Unconfirmed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			bell := b.bell(Config{})
			b.reader("dev-1", c.program)
			for _, line := range []string{"see the file [4f2a]", "see the file [4f2a]", strings.Repeat("a long line that is wrapped ", 5)} {
				if c.want == Delivered {
					b.want(b.bell(Config{Confirm: patience}), "lead:dev-1", line, c.want)
				} else {
					b.want(bell, "lead:dev-1", line, c.want)
				}
			}
		})
	}
}

// A busy program shows the line only after Enter was pressed, which it has not
// read.
func TestLineThatIsShownLateIsUnconfirmed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	const line = "see the file [4f2a]"
	b.reader("dev-1", fmt.Sprintf(`stty raw -echo; touch FILE; l=$(dd bs=1 count=%d 2>/dev/null); sleep 0.5; printf '%%s' "$l"; exec sleep 1000`, len(line)))
	b.want(b.bell(Config{Confirm: 2 * time.Second}), "lead:dev-1", line, Unconfirmed)
	b.until("it is shown", func() bool { return b.tmux("capture-pane", "-p", "-t", "=lead:=dev-1") == line })
}

func TestCopyModeIsLeftBeforeTyping(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	file := b.reader("dev-1", lineReader)
	for _, mode := range []string{"copy-mode", "clock-mode", "choose-tree"} {
		b.tmux(mode, "-t", "=lead:=dev-1")
		if in := b.tmux("display-message", "-p", "-t", "=lead:=dev-1", "#{pane_in_mode}"); in != "1" {
			t.Fatalf("%s: %s", mode, in)
		}
		b.want(b.bell(Config{Confirm: patience}), "lead:dev-1", mode, Delivered)
		if in := b.tmux("display-message", "-p", "-t", "=lead:=dev-1", "#{pane_in_mode}"); in != "0" {
			t.Errorf("%s is not left", mode)
		}
	}
	b.wantTyped(file, "copy-mode\nclock-mode\nchoose-tree\n")
}

func TestLinesOfSeveralRingersAreNotGluedTogether(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	file := b.reader("dev-1", rawReader)
	id := b.tmux("display-message", "-p", "-t", "=lead:=dev-1", "#{pane_id}")
	var wg sync.WaitGroup
	var want []string
	for ringer := range 3 {
		bell := b.bell(Config{}) // as other processes have
		target := []string{"lead:dev-1", id, "lead:1"}[ringer]
		for n := range 4 {
			line := fmt.Sprintf("ringer %d line %d", ringer, n)
			want = append(want, line)
			wg.Go(func() { b.want(bell, target, line, Unconfirmed) })
		}
	}
	wg.Wait()
	total := 0
	for _, line := range want {
		total += len(line) + 1
	}
	b.until("all is typed", func() bool { return len(b.content(file)) >= total })
	got := strings.Split(strings.TrimSuffix(b.content(file), "\r"), "\r")
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("typed %q", got)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.reader("dev-1", lineReader)
	b.want(b.bell(Config{Confirm: patience}), "lead:dev-1", "a line", Delivered)
	if left := b.tmux("list-buffers"); left != "" {
		t.Errorf("buffers: %s", left)
	}
	if left := b.locks(); len(left) != 0 {
		t.Errorf("locks: %q", left)
	}
}
