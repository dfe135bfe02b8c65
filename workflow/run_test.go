package workflow_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

func TestAPRPGoesAllTheWay(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	r := o.submit("PRP-1", workflow.Submission{})
	if r.State != "assigned" || r.Job == nil || r.Job.Queue != "agent:dev-1:p1" {
		t.Fatalf("after submit: %+v", r)
	}
	o.to("PRP-1", "validation", "integration", "complete")
	if r = o.rec("PRP-1"); r.Job != nil || r.Holder != nil || r.Attempt != 1 {
		t.Errorf("complete with %+v", r)
	}
}

func TestARejectionGoesBackToTheSameDeveloperWithReasons(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	o.to("PRP-1", "validation")
	o.deliver(o.claim("PRP-1", "val"), tasks.Result{Outcome: tasks.Rejected, Reasons: []string{"no test"}})
	r := o.is("PRP-1", "development")
	if r.Attempt != 2 || !slices.Equal(r.Reasons, []string{"no test"}) || r.Job.Agent != "dev-1" || !r.Job.Sticky {
		t.Errorf("rejected to %+v, job %+v", r, r.Job)
	}
}

func TestRefusedEvidenceGoesBackWithWhatIsMissing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	o.deliver(o.claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Done, Evidence: map[string]any{"tests_passed": true, "coverage_pct": 70}})
	r := o.is("PRP-1", "development")
	if said := strings.Join(r.Reasons, "; "); r.Attempt != 2 || !strings.Contains(said, "lint_clean") || !strings.Contains(said, "coverage_pct >= 80") {
		t.Errorf("attempt %d, reasons %q", r.Attempt, said)
	}
}

func TestTooManyRefusalsFail(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	for range workflow.MaxRefusals {
		o.deliver(o.claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Done})
	}
	o.is("PRP-1", "failed")
	o.must(o.trigger("PRP-1", "retry", ""))
	if r := o.is("PRP-1", "assigned"); r.Refused != 0 {
		t.Errorf("after retry %d refusals count", r.Refused)
	}
}

func TestSpentRetriesBuryTheJob(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	var v tasks.Verdict
	var last tasks.Run
	for i := range workflow.DefaultRetries + 1 {
		last = o.claim("PRP-1", "dev-1")
		v = o.deliver(last, tasks.Result{Outcome: tasks.Failed, Reasons: []string{"no compiler"}})
		if i < workflow.DefaultRetries && v.After <= 0 {
			t.Fatalf("failure %d: verdict %+v, want another run", i+1, v)
		}
	}
	r := o.is("PRP-1", "failed")
	if !v.Failed || len(r.Dead) != 1 || r.Dead[0].Attempt != 4 || r.Dead[0].Cause != workflow.CauseRetries || r.Dead[0].Reason != "no compiler" {
		t.Errorf("verdict %+v, dead letters %+v", v, r.Dead)
	}
	// An operator who lets the archived task run again fires retry.
	o.n++
	_, err := o.engine.Claim(t.Context(), tasks.Claim{Run: tasks.Run{ID: "again", PRP: "PRP-1", Job: r.Dead[0].ID, Fence: last.Fence, Agent: "dev-1", Incarnation: "h:1:x"}})
	if !errors.Is(err, tasks.ErrStale) {
		t.Errorf("the archived task runs: %v", err)
	}
	if r = o.is("PRP-1", "assigned"); len(r.Dead) != 0 {
		t.Errorf("after retry the dead letters are %+v", r.Dead)
	}
}

func TestALimitSpendsNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	for range 7 {
		v := o.deliver(o.claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Limited, RetryAfter: tasks.Duration(time.Minute)})
		if v.After != time.Minute {
			t.Fatalf("verdict %+v", v)
		}
		o.now = o.now.Add(time.Minute)
	}
	if r := o.is("PRP-1", "development"); r.Failures != 0 || r.Attempt != 1 {
		t.Errorf("failures %d, attempt %d", r.Failures, r.Attempt)
	}
}

func TestALateResultChangesNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	run := o.claim("PRP-1", "dev-1")
	o.must(o.engine.HandBack(t.Context(), run))
	before := o.rec("PRP-1")
	if before.Holder != nil || before.Runs != 0 || before.Fence <= run.Fence {
		t.Errorf("handed back: %+v", before)
	}
	if _, err := o.engine.Deliver(t.Context(), tasks.Delivery{Run: run, Result: good}); !errors.Is(err, tasks.ErrStale) {
		t.Errorf("the late result: %v", err)
	}
	if after := o.rec("PRP-1"); after.Version != before.Version {
		t.Error("it has changed the record")
	}
	stale, err := o.engine.Current(t.Context(), []tasks.Run{run})
	o.must(err)
	if len(stale) != 1 {
		t.Errorf("stale runs: %v", stale)
	}
	o.must(o.engine.PutLog(t.Context(), run, "hello"))
}

func TestAProcessThatDiesAtItTooOftenFailsThePRP(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	agents := o.peers.agents
	for range workflow.MaxLost {
		o.peers.agents, o.peers.gone = agents, false
		o.now = o.now.Add(time.Minute)
		o.claim("PRP-1", "dev-1")
		o.peers.gone = true
		o.must(o.engine.Sweep(t.Context()))
	}
	r := o.is("PRP-1", "failed")
	if len(r.Dead) != 1 || r.Dead[0].Cause != workflow.CauseLost || !strings.Contains(r.Dead[0].Reason, "died 5 times") {
		t.Errorf("dead letters %+v", r.Dead)
	}
	if !o.engine.Leads() {
		t.Error("the only one who sweeps does not lead")
	}
}
