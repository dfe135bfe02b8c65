package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/internal/office"
)

func TestARevisionMayChangeWhatIsNotInTheDocument(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Submit("PRP-2", engine.Submission{})
	for what, sub := range map[string]engine.Submission{"priority": {Priority: "P3"}, "repository": {Repo: "/srv/y"}, "dependency": {Depends: []string{"PRP-2"}}} {
		sub.Revise = true
		s := o.Submits("PRP-1", sub)
		if s.Err != nil || !s.Revised || s.Record.Revision != 1 {
			t.Errorf("%s: %+v", what, s)
		}
		if s = o.Submits("PRP-1", sub); !s.Again || s.Revised {
			t.Errorf("%s, twice: %+v", what, s)
		}
	}
}

func TestAnUnfitRevisionChangesNothing(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Question, Question: "which one?"})
	before := o.Is("PRP-1", "blocked")
	s := o.Submits("PRP-1", engine.Submission{Revise: true, Text: []byte("# PRP-1 - No criterion\n\n## Goal\nNone.\n")})
	if !errors.Is(s.Err, workflow.ErrUnfit) || s.Revised {
		t.Errorf("revised: %+v", s)
	}
	if after := o.Rec("PRP-1"); after.Version != before.Version || !strings.Contains(o.Why("PRP-1"), "which one?") {
		t.Errorf("version %d, was %d; why %q", after.Version, before.Version, o.Why("PRP-1"))
	}
}

func TestARunOfAnOldRevisionIsStopped(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	run := o.Claim("PRP-1", "dev-1")
	text := fmt.Appendf(nil, office.Text+"- [ ] and more\n", "PRP-1", "P1")
	if s := o.Submits("PRP-1", engine.Submission{Revise: true, Text: text}); s.Err != nil || !s.Revised {
		t.Fatalf("revised: %+v", s)
	}
	o.Send()
	if gone, err := o.Engine.Current(t.Context(), []tasks.Run{run}); err != nil || len(gone) != 1 {
		t.Errorf("the run goes on: %v, %v", gone, err)
	}
	if _, err := o.Engine.Deliver(t.Context(), tasks.Delivery{Run: run, Result: office.Good}); !errors.Is(err, tasks.ErrStale) {
		t.Errorf("its result counts for revision 2: %v", err)
	}
	next, a := o.Take("PRP-1", "dev-1", office.Home)
	if string(a.Document) != string(text) {
		t.Error("the next run has the old text")
	}
	v, err := o.Engine.Show(t.Context(), "PRP-1")
	o.Must(err)
	if v.Revision != 2 || v.RunRevision != 2 {
		t.Errorf("shown: revision %d, the run has %d", v.Revision, v.RunRevision)
	}
	o.Deliver(next, office.Good)
	if e := o.Last("PRP-1"); e.Revision != 2 {
		t.Errorf("the history says that the run had revision %d", e.Revision)
	}
	if r := o.Is("PRP-1", "validation"); r.Stage.Lost != 0 || r.Attempt != 1 {
		t.Errorf("it has cost something: %+v", r)
	}
}
