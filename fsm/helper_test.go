package fsm_test

import (
	"os"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/fsm"
)

// small is a lifecycle that loads; tests break it in one place.
const small = `name: small
roles: [worker]
initial: open
states:
  open: {}
  work:
    role: worker
    task: prp.work
    results: {done: end, question: ask, failed: stop}
  asked: {}
  stopped: {}
  closed: {terminal: true, success: true}
edges:
  - {event: begin, from: open, to: work, auto: true, guard: prp.fit}
  - event: end
    from: work
    to: closed
    guard:
      - evidence.good
  - {event: ask, from: work, to: asked}
  - {event: answer, from: asked, to: back}
  - {event: stop, from: work, to: stopped}
  - event: again
    from:
      - stopped
    to: work
    resets: true
`

// edit replaces a part that must be there, once.
func edit(t *testing.T, source, old, replacement string) string {
	t.Helper()
	if strings.Count(source, old) != 1 {
		t.Fatalf("%q is %d times in the source", old, strings.Count(source, old))
	}
	return strings.Replace(source, old, replacement, 1)
}

func load(t *testing.T, source string) *fsm.Lifecycle {
	t.Helper()
	l, err := fsm.Parse("small.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func defaultSource(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("lifecycle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// lineOf is the line of the first place that holds the text, counted from 1.
func lineOf(t *testing.T, source, text string) int {
	t.Helper()
	before, _, found := strings.Cut(source, text)
	if !found {
		t.Fatalf("%q is not in the source", text)
	}
	return strings.Count(before, "\n") + 1
}

// claimed is the small lifecycle with a state before work, which picking the
// task up leaves.
func claimed(t *testing.T) string {
	t.Helper()
	source := edit(t, small, "  asked: {}", `  ready:
    role: worker
    task: prp.work
    claim: take
    results: {failed: stop}
  asked: {}`)
	source = edit(t, source, "from: open, to: work", "from: open, to: ready")
	source = edit(t, source, "event: stop, from: work", "event: stop, from: [ready, work]")
	return edit(t, source, "  - {event: answer", "  - {event: take, from: ready, to: work}\n  - {event: answer")
}
