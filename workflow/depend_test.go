package workflow_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

func TestDependantsAreLookedAtInChunks(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	for i := range 101 {
		o.submit(fmt.Sprintf("DEP-%03d", i), workflow.Submission{Depends: []string{"PRP-1"}})
	}
	o.to("PRP-1", "validation", "integration", "complete")
	next, err := o.engine.LookAtDependants(t.Context(), "PRP-1", "")
	o.must(err)
	o.is("DEP-099", "assigned")
	o.is("DEP-100", "validated")
	if next != "DEP-099" {
		t.Fatalf("the next chunk begins after %q", next)
	}
	if next, err = o.engine.LookAtDependants(t.Context(), "PRP-1", next); next != "" || err != nil {
		t.Errorf("the last chunk: %q, %v", next, err)
	}
	o.is("DEP-100", "assigned")
}

func TestAFailedDependencyIsReportedOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	o.submit("PRP-2", workflow.Submission{Depends: []string{"PRP-1"}})
	for range workflow.MaxRefusals {
		o.deliver(o.claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Done})
	}
	o.sent()
	for range 2 {
		if _, err := o.engine.LookAtDependants(t.Context(), "PRP-1", ""); err != nil {
			t.Fatal(err)
		}
	}
	told := slices.DeleteFunc(o.sent(), func(e workflow.OutboxEntry) bool { return e.Kind != workflow.SendMessage })
	if len(told) != 1 || told[0].To != workflow.Orchestrator || !strings.Contains(told[0].Text, "undepend PRP-2") {
		t.Errorf("told: %+v", told)
	}
	o.must(o.trigger("PRP-2", "undepend", "never mind"))
	if r := o.is("PRP-2", "assigned"); len(r.DependsOn) != 0 || r.Job == nil {
		t.Errorf("let go: %+v", r)
	}
}

func TestALeaseIsNeverLeftToWhoHasGone(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	for _, id := range []string{"PRP-1", "PRP-2"} {
		o.submit(id, workflow.Submission{Repo: "service"})
		o.to(id, "validation", "integration")
	}
	gone := o.rec("PRP-1").Member
	// PRP-1 has asked, and was cancelled before it was answered.
	if _, err := o.store.AcquireLease(t.Context(), "service", gone); err != nil {
		t.Fatal(err)
	}
	o.must(o.trigger("PRP-1", "cancel", ""))
	o.must(o.engine.Acquire(t.Context(), "PRP-1", "service", gone))
	o.must(o.engine.Acquire(t.Context(), "PRP-9", "service", "PRP-9:1"))
	o.must(o.engine.Acquire(t.Context(), "PRP-2", "service", o.rec("PRP-2").Member))
	if line := o.disk.Lease("service"); len(line) != 1 || !o.rec("PRP-2").Granted {
		t.Errorf("the lease: %v, PRP-2 %+v", line, o.rec("PRP-2"))
	}
}

func TestAPersonsRejectionCountsAsOneOfAnAgent(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	o.to("PRP-1", "validation")
	o.must(o.trigger("PRP-1", "reject", "no tests"))
	r := o.is("PRP-1", "development")
	if r.Attempt != 2 || r.Refused != 1 || !slices.Equal(r.Reasons, []string{"no tests"}) {
		t.Errorf("rejected: attempt %d, refused %d, reasons %v", r.Attempt, r.Refused, r.Reasons)
	}
	if err := o.trigger("PRP-1", "submit", ""); err == nil || !strings.Contains(err.Error(), "tests_passed") {
		t.Errorf("submitted without evidence: %v", err)
	}
	in := workflow.Input{Event: "submit", Actor: "dev-1", By: workflow.ByAgent, Evidence: all}
	seen := o.rec("PRP-1")
	tr, err := workflow.Decide(workflow.Context{Lifecycle: fsm.Default(), Now: o.now, Nonce: "n"}, seen, in)
	o.must(err)
	if tr.Record.State != "validation" || tr.SeenVersion != seen.Version || seen.State != "development" {
		t.Errorf("decided %+v of %s", tr, seen.State)
	}
	if _, err = workflow.Decide(workflow.Context{Lifecycle: fsm.Default(), Now: o.now, Nonce: "n"}, seen, workflow.Input{Event: "finish"}); err == nil {
		t.Error("decided what the state does not allow")
	}
}
