package workflow_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

func TestADeadLetterCanBeDropped(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	for range workflow.DefaultRetries + 1 {
		o.deliver(o.claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Failed})
	}
	id := o.rec("PRP-1").Dead[0].ID
	o.must(o.engine.DropDeadLetter(t.Context(), id, "ann", "seen"))
	if err := o.engine.DropDeadLetter(t.Context(), id, "ann", "seen"); !errors.Is(err, workflow.ErrNotFound) {
		t.Errorf("dropped twice: %v", err)
	}
	o.is("PRP-1", "failed")
}

func TestAQuestionBlocksUntilItIsAnswered(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	o.to("PRP-1", "validation")
	o.deliver(o.claim("PRP-1", "val"), tasks.Result{Outcome: tasks.Question, Question: "which one?"})
	o.is("PRP-1", "blocked")
	if why := o.why("PRP-1"); !strings.Contains(why, "which one?") {
		t.Errorf("why: %q", why)
	}
	_, err := o.engine.Trigger(t.Context(), workflow.Trigger{PRP: "PRP-1", Event: "answer", Actor: "ann", Answer: "that one"})
	o.must(err)
	r := o.is("PRP-1", "validation")
	if r.Answer != "that one" || r.Job == nil || r.Question != "" {
		t.Errorf("answered: %+v", r)
	}
	h, err := o.engine.History(t.Context(), "PRP-1")
	o.must(err)
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
	o := newOffice(t, withApproval)
	o.submit("PRP-1", workflow.Submission{})
	o.deliver(o.claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Done, Evidence: map[string]any{"tests_passed": true, "approved": true}})
	r := o.is("PRP-1", "work")
	if r.Job != nil || r.Awaits != "accept" || !strings.Contains(o.why("PRP-1"), "person") {
		t.Fatalf("after the run: %+v, why %q", r, o.why("PRP-1"))
	}
	o.must(o.trigger("PRP-1", "pause", ""))
	o.must(o.trigger("PRP-1", "resume", ""))
	if r = o.rec("PRP-1"); r.Job != nil {
		t.Error("resume gives the work out again")
	}
	o.must(o.trigger("PRP-1", "accept", "looks good"))
	o.is("PRP-1", "complete")
}

func TestADeadlineFailsWhoWorksAndReportsWhoWaits(t *testing.T) {
	t.Parallel()
	o := newOffice(t, withApproval)
	o.submit("PRP-1", workflow.Submission{})
	o.submit("PRP-2", workflow.Submission{})
	o.must(o.trigger("PRP-2", "park", ""))
	o.now = o.now.Add(61 * time.Minute)
	o.must(o.engine.Sweep(t.Context()))
	r := o.is("PRP-1", "failed")
	if h, _ := o.engine.History(t.Context(), r.ID); !strings.Contains(h[len(h)-1].Reason, "deadline") {
		t.Errorf("it failed for %q", h[len(h)-1].Reason)
	}
	if r = o.is("PRP-2", "waiting"); !r.Deadline.IsZero() {
		t.Error("the deadline is reported again and again")
	}
}

func TestTheMergeLeaseGoesRound(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	for _, id := range []string{"PRP-1", "PRP-2"} {
		o.submit(id, workflow.Submission{Repo: "service"})
		o.to(id, "validation", "integration")
		o.must(o.engine.Acquire(t.Context(), id, "service", o.rec(id).Member))
	}
	if one, two := o.rec("PRP-1"), o.rec("PRP-2"); one.Job == nil || two.Job != nil {
		t.Fatalf("jobs: %v and %v", one.Job, two.Job)
	}
	member := o.rec("PRP-1").Member
	o.to("PRP-1", "complete")
	o.must(o.engine.Release(t.Context(), "service", member))
	o.must(o.engine.Release(t.Context(), "service", member))
	if r := o.rec("PRP-2"); r.Job == nil || !r.Granted {
		t.Errorf("the lease is free, PRP-2 has %+v", r.Job)
	}
}

func TestTriggersAreRefusedWithWhatIsPossible(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	for _, c := range []struct {
		event string
		want  error
		says  string
	}{
		{"frobnicate", workflow.ErrUnknownEvent, "the lifecycle knows"},
		{"start", workflow.ErrConflict, "not by a person"},
		{"answer", workflow.ErrConflict, "cancel"},
		{"undepend", workflow.ErrConflict, "waits for no other"},
	} {
		err := o.trigger("PRP-1", c.event, "")
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.event, err)
		}
	}
	o.must(o.trigger("PRP-1", "cancel", "not needed"))
	for _, event := range []string{"cancel", "pause", "retry"} {
		if err := o.trigger("PRP-1", event, ""); !errors.Is(err, workflow.ErrConflict) {
			t.Errorf("%s of a cancelled PRP: %v", event, err)
		}
	}
	if err := o.trigger("PRP-9", "cancel", ""); !errors.Is(err, workflow.ErrNotFound) {
		t.Errorf("cancel of nobody: %v", err)
	}
}
