package tmux

import (
	"strings"
	"testing"
)

func TestMarkIsFoundWhereverProgramsBreakALine(t *testing.T) {
	t.Parallel()
	mark := markOf("Read .prpflow/tasks/41.md and do what it says [nonce 4f2a]")
	for name, c := range map[string]struct {
		screen string
		want   place
	}{
		"nothing":         {"", place{}},
		"another line":    {"Read .prpflow/tasks/41.md and do what it says [nonce 77aa]\n", place{}},
		"at a prompt":     {"$ Read .prpflow/tasks/41.md and do what it says [nonce 4f2a]\n", place{1, 0}},
		"broken by words": {"> Read .prpflow/tasks/41.md and do what\n  it says\n  [nonce 4f2a]\n\n\n", place{1, 0}},
		"in a frame": {`
╭──────────────────────────────────────╮
│ > Read .prpflow/tasks/41.md and do w │
│   hat it says [nonce 4f2a]           │
╰──────────────────────────────────────╯
  ? for shortcuts
`, place{1, 1}},
		"with a line break behind it": {`
╭──────────────────────────────────────╮
│ > Read .prpflow/tasks/41.md and do w │
│   hat it says [nonce 4f2a]           │
│                                      │
╰──────────────────────────────────────╯
  ? for shortcuts
`, place{1, 1}},
		"taken": {`
> Read .prpflow/tasks/41.md and do what it says [nonce 4f2a]

* Thinking
╭──────────────────────────────────────╮
│ >                                    │
╰──────────────────────────────────────╯
  ? for shortcuts
`, place{1, 3}},
		"repeated": {"Read .prpflow/tasks/41.md and do what it says [nonce 4f2a]\nand do what it says [nonce 4f2a]\nmore\n", place{2, 1}},
	} {
		if got := mark.on(c.screen); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	if got := markOf("y"); got != "y" {
		t.Errorf("the mark of a short line is %q", got)
	}
}

// Without a locale tmux itself would write _ for each letter that is not ASCII.
func TestLocaleDoesNotMatter(t *testing.T) {
	t.Setenv("LC_ALL", "C")
	b := newBench(t)
	file := b.reader("prüfer", lineReader)
	line := strings.Repeat("Grüße 漢字 ", 5)
	b.want(b.bell(Config{Confirm: patience}), "lead:prüfer", line, Delivered)
	b.wantTyped(file, line+"\n")
}
