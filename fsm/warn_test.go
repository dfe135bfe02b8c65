package fsm_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/prpflow/prpflow/fsm"
)

func TestStateThatNobodyCanCancelInIsAWarning(t *testing.T) {
	t.Parallel()
	source := edit(t, small, "edges:\n", `  gone: {terminal: true}
edges:
  - {event: cancel, from: [open, stopped], to: gone}
  - event: cancel
    from: asked
    to: gone
    by: [agent, engine]
`)
	want := []fsm.Problem{
		{Line: lineOf(t, source, "  work:"), Text: "a PRP cannot be cancelled in the state work: it has no edge for cancel"},
		{Line: lineOf(t, source, "asked: {}"), Text: "a person cannot cancel a PRP in the state asked: line 19 says by agent, engine"},
	}
	l := load(t, source)
	if diff := cmp.Diff(want, l.Warnings()); diff != "" {
		t.Error(diff)
	}
	l.Warnings()[0].Text = "x"
	if diff := cmp.Diff(want, l.Warnings()); diff != "" {
		t.Errorf("the warnings are those of the caller: %s", diff)
	}
}

func TestDefaultHasNoWarnings(t *testing.T) {
	t.Parallel()
	if w := fsm.Default().Warnings(); len(w) > 0 {
		t.Error(w)
	}
}
