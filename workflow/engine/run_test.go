package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/internal/office"
)

func TestAPRPGoesAllTheWay(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	r := o.Submit("PRP-1", engine.Submission{})
	if r.State != "assigned" || r.Job() == nil || r.Job().Queue != "agent:dev-1:p1" {
		t.Fatalf("after submit: %+v", r)
	}
	o.To("PRP-1", "validation", "integration", "complete")
	if r = o.Rec("PRP-1"); r.Job() != nil || r.Holder() != nil || r.Attempt != 1 {
		t.Errorf("complete with %+v", r)
	}
}

func TestARejectionGoesBackToTheSameDeveloperWithReasons(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.To("PRP-1", "validation")
	o.Deliver(o.Claim("PRP-1", "val"), tasks.Result{Outcome: tasks.Rejected, Reasons: []string{"no test"}})
	r := o.Is("PRP-1", "development")
	if r.Attempt != 2 || !slices.Equal(r.Reasons, []string{"no test"}) || r.Job().Agent != "dev-1" || !r.Job().Sticky {
		t.Errorf("rejected to %+v, job %+v", r, r.Job())
	}
}

func TestRefusedEvidenceGoesBackWithWhatIsMissing(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Done, Evidence: map[string]any{"tests_passed": true, "coverage_pct": 70}})
	r := o.Is("PRP-1", "development")
	if said := strings.Join(r.Reasons, "; "); r.Attempt != 2 || !strings.Contains(said, "lint_clean") || !strings.Contains(said, "coverage_pct >= 80") {
		t.Errorf("attempt %d, reasons %q", r.Attempt, said)
	}
}

func TestTooManyRefusalsFail(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	for range workflow.MaxRefusals {
		o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Done})
	}
	o.Is("PRP-1", "failed")
	o.Must(o.Trigger("PRP-1", "retry", ""))
	if r := o.Is("PRP-1", "assigned"); r.Refused != 0 {
		t.Errorf("after retry %d refusals count", r.Refused)
	}
}

func TestSpentRetriesBuryTheJob(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	var v tasks.Verdict
	var last tasks.Run
	for i := range workflow.DefaultRetries + 1 {
		last = o.Claim("PRP-1", "dev-1")
		v = o.Deliver(last, tasks.Result{Outcome: tasks.Failed, Reasons: []string{"no compiler"}})
		if i < workflow.DefaultRetries && v.After <= 0 {
			t.Fatalf("failure %d: verdict %+v, want another run", i+1, v)
		}
	}
	r := o.Is("PRP-1", "failed")
	if !v.Failed || len(r.Dead) != 1 || r.Dead[0].Attempt != 4 || r.Dead[0].Cause != workflow.CauseRetries || r.Dead[0].Reason != "no compiler" {
		t.Errorf("verdict %+v, dead letters %+v", v, r.Dead)
	}
}

func TestALimitSpendsNothing(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	for range 7 {
		v := o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Limited, RetryAfter: tasks.Duration(time.Minute)})
		if v.After != time.Minute {
			t.Fatalf("verdict %+v", v)
		}
		o.Now = o.Now.Add(time.Minute)
	}
	if r := o.Is("PRP-1", "development"); r.Stage.Failures != 0 || r.Attempt != 1 {
		t.Errorf("failures %d, attempt %d", r.Stage.Failures, r.Attempt)
	}
}

func TestALateResultChangesNothing(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	run := o.Claim("PRP-1", "dev-1")
	o.Must(o.Engine.HandBack(t.Context(), run, "was drained"))
	before := o.Rec("PRP-1")
	if before.Holder() != nil || before.Stage.Runs != 0 || before.Fence <= run.Fence {
		t.Errorf("handed back: %+v", before)
	}
	if _, err := o.Engine.Deliver(t.Context(), tasks.Delivery{Run: run, Result: office.Good}); !errors.Is(err, tasks.ErrStale) {
		t.Errorf("the late result: %v", err)
	}
	if after := o.Rec("PRP-1"); after.Version != before.Version {
		t.Error("it has changed the record")
	}
	stale, err := o.Engine.Current(t.Context(), []tasks.Run{run})
	o.Must(err)
	if len(stale) != 1 {
		t.Errorf("stale runs: %v", stale)
	}
	o.Must(o.Engine.PutLog(t.Context(), run, "hello"))
}
