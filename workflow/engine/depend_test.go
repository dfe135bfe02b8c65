package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/internal/office"
)

func TestDependantsAreLookedAtInChunks(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	for i := range 101 {
		o.Submit(fmt.Sprintf("DEP-%03d", i), engine.Submission{Depends: []string{"PRP-1"}})
	}
	o.To("PRP-1", "validation", "integration")
	run := o.Claim("PRP-1", "int")
	_, err := o.Engine.Deliver(t.Context(), tasks.Delivery{Run: run, Result: office.Good})
	o.Must(err)
	next, err := o.Engine.LookAtDependants(t.Context(), "PRP-1", "")
	o.Must(err)
	o.Is("DEP-099", "assigned")
	o.Is("DEP-100", "validated")
	if next != "DEP-099" {
		t.Fatalf("the next chunk begins after %q", next)
	}
	if next, err = o.Engine.LookAtDependants(t.Context(), "PRP-1", next); next != "" || err != nil {
		t.Errorf("the last chunk: %q, %v", next, err)
	}
	o.Is("DEP-100", "assigned")
}

func TestAFailedDependencyIsReportedOnce(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Submit("PRP-2", engine.Submission{Depends: []string{"PRP-1"}})
	for range workflow.MaxRefusals {
		o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Done})
	}
	for range 2 {
		if _, err := o.Engine.LookAtDependants(t.Context(), "PRP-1", ""); err != nil {
			t.Fatal(err)
		}
	}
	o.Send()
	told := slices.DeleteFunc(o.Inbox, func(text string) bool { return !strings.Contains(text, "undepend PRP-2") })
	if len(told) != 1 {
		t.Errorf("told: %q", o.Inbox)
	}
	o.Must(o.Trigger("PRP-2", "undepend", "never mind"))
	if r := o.Is("PRP-2", "assigned"); len(r.DependsOn) != 0 || r.Job() == nil {
		t.Errorf("let go: %+v", r)
	}
}

func TestAPersonsRejectionCountsAsOneOfAnAgent(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.To("PRP-1", "validation")
	o.Must(o.Trigger("PRP-1", "reject", "no tests"))
	r := o.Is("PRP-1", "development")
	if r.Attempt != 2 || r.Refused != 1 || !slices.Equal(r.Reasons, []string{"no tests"}) {
		t.Errorf("rejected: attempt %d, refused %d, reasons %v", r.Attempt, r.Refused, r.Reasons)
	}
	if err := o.Trigger("PRP-1", "submit", ""); err == nil || !strings.Contains(err.Error(), "tests_passed") {
		t.Errorf("submitted without evidence: %v", err)
	}
	in := workflow.Input{Event: "submit", Actor: "dev-1", By: workflow.ByAgent, Evidence: office.All}
	seen := o.Rec("PRP-1")
	tr, err := workflow.Decide(workflow.Context{Lifecycle: fsm.Default(), Now: o.Now, Nonce: "n"}, seen, in)
	o.Must(err)
	if tr.Record.State != "validation" || tr.SeenVersion != seen.Version || seen.State != "development" {
		t.Errorf("decided %+v of %s", tr, seen.State)
	}
	if _, err = workflow.Decide(workflow.Context{Lifecycle: fsm.Default(), Now: o.Now, Nonce: "n"}, seen, workflow.Input{Event: "finish"}); err == nil {
		t.Error("decided what the state does not allow")
	}
}
