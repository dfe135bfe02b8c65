package engine_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/internal/office"
)

func TestADeadLetterCanBeDropped(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	for range workflow.DefaultRetries + 1 {
		o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Failed})
	}
	id := o.Rec("PRP-1").Dead[0].ID
	o.Must(o.Engine.DropDeadLetter(t.Context(), id, "ann", "seen"))
	if err := o.Engine.DropDeadLetter(t.Context(), id, "ann", "seen"); !errors.Is(err, workflow.ErrNotFound) {
		t.Errorf("dropped twice: %v", err)
	}
	o.Is("PRP-1", "failed")
}

func TestAQuestionBlocksUntilItIsAnswered(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.To("PRP-1", "validation")
	o.Deliver(o.Claim("PRP-1", "val"), tasks.Result{Outcome: tasks.Question, Question: "which one?"})
	o.Is("PRP-1", "blocked")
	if why := o.Why("PRP-1"); !strings.Contains(why, "which one?") {
		t.Errorf("why: %q", why)
	}
	_, err := o.Engine.Trigger(t.Context(), workflow.Trigger{PRP: "PRP-1", Event: "answer", Actor: "ann", Answer: "that one"})
	o.Must(err)
	r := o.Is("PRP-1", "validation")
	if r.Questions[0].Answer != "that one" || r.Job() == nil || r.Question() != "" {
		t.Errorf("answered: %+v", r)
	}
	h, err := o.Engine.History(t.Context(), "PRP-1")
	o.Must(err)
	if n := len(h); h[n-2].Reason != "which one?" || h[n-1].Reason != "that one" {
		t.Errorf("the history says %q, then %q", h[n-2].Reason, h[n-1].Reason)
	}
}

const withApproval = `
name: careful
roles: [developer]
initial: new
states:
  new: {}
  work: {role: developer, task: prp.develop, approval: true, results: {done: accept, failed: fail}, deadline: 1h}
  waiting: {deadline: 1h}
  failed: {}
  complete: {terminal: true, success: true}
edges:
  - {event: begin, from: new, to: work, auto: true}
  - {event: accept, from: work, to: complete, by: [agent, person], guard: [evidence.tests_passed, evidence.approved]}
  - {event: park, from: work, to: waiting, by: person}
  - {event: unpark, from: waiting, to: work, by: person}
  - {event: fail, from: work, to: failed}
  - {event: retry, from: failed, to: work, by: person, resets: true}
`

func TestAPersonHasTheLastWordWhereTheLifecycleSaysSo(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{Lifecycle: withApproval})
	o.Submit("PRP-1", engine.Submission{})
	o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Done, Evidence: map[string]any{"tests_passed": true, "approved": true}})
	r := o.Is("PRP-1", "work")
	if r.Job() != nil || r.Stage.Approval == nil || r.Stage.Approval.Event != "accept" || !strings.Contains(o.Why("PRP-1"), "person") {
		t.Fatalf("after the run: %+v, why %q", r, o.Why("PRP-1"))
	}
	o.Must(o.Trigger("PRP-1", "pause", ""))
	o.Must(o.Trigger("PRP-1", "resume", ""))
	if r = o.Rec("PRP-1"); r.Job() != nil {
		t.Error("resume gives the work out again")
	}
	o.Must(o.Trigger("PRP-1", "accept", "looks good"))
	o.Is("PRP-1", "complete")
}

func TestTriggersAreRefusedWithWhatIsPossible(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	for _, c := range []struct {
		event string
		want  error
		says  string
	}{
		{"frobnicate", workflow.ErrUnknownEvent, "the lifecycle knows"},
		{"start", workflow.ErrConflict, "a person can run"},
		{"answer", workflow.ErrConflict, "cancel"},
		{"undepend", workflow.ErrConflict, "waits for no other"},
	} {
		err := o.Trigger("PRP-1", c.event, "")
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.event, err)
		}
	}
	o.Must(o.Trigger("PRP-1", "cancel", "not needed"))
	for _, event := range []string{"cancel", "pause", "retry"} {
		if err := o.Trigger("PRP-1", event, ""); !errors.Is(err, workflow.ErrConflict) {
			t.Errorf("%s of a cancelled PRP: %v", event, err)
		}
	}
	if err := o.Trigger("PRP-9", "cancel", ""); !errors.Is(err, workflow.ErrNotFound) {
		t.Errorf("cancel of nobody: %v", err)
	}
}
