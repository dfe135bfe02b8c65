package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/internal/office"
)

// ask claims the PRP's job as a run; how may change the claim.
func ask(o *office.Office, id, run string, how func(*tasks.Claim)) error {
	o.Helper()
	r := o.Rec(id)
	c := tasks.Claim{Run: tasks.Run{ID: run, PRP: id, Fence: r.Fence, Agent: "dev-1", Incarnation: "h:1:x"}}
	if r.Job() != nil {
		c.Job = r.Job().ID
	}
	if how != nil {
		how(&c)
	}
	_, err := o.Engine.Claim(o.Context(), c)
	return err
}

func TestAJobHasOneHolder(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Must(ask(o, "PRP-1", "a", nil))
	version := o.Rec("PRP-1").Version
	o.Must(ask(o, "PRP-1", "a", nil))
	if o.Rec("PRP-1").Version != version {
		t.Error("the same claim twice is two changes")
	}
	elsewhere := func(c *tasks.Claim) { c.Incarnation = "h:2:y" }
	var later *tasks.RetryAfterError
	if err := ask(o, "PRP-1", "b", elsewhere); !errors.Is(err, workflow.ErrHeld) || !errors.As(err, &later) {
		t.Errorf("another process: %v", err)
	}
	if err := ask(o, "PRP-1", "b", func(c *tasks.Claim) { c.InHand = []string{"a"} }); !errors.Is(err, workflow.ErrHeld) {
		t.Errorf("the same process, which has the run in hand: %v", err)
	}
	o.Must(ask(o, "PRP-1", "b", nil)) // the same process, whose run has ended without a word
	if r := o.Rec("PRP-1"); r.Holder().Run != "b" || r.Stage.Runs != 2 {
		t.Errorf("held by %+v, run %d", r.Holder(), r.Stage.Runs)
	}
}

func TestAStaleClaimIsRefused(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	before := o.Rec("PRP-1").Version
	for name, how := range map[string]func(*tasks.Claim){
		"another job":  func(c *tasks.Claim) { c.Job = "PRP-1:3:other" },
		"lower fence":  func(c *tasks.Claim) { c.Fence-- },
		"higher fence": func(c *tasks.Claim) { c.Fence++ },
		"unknown PRP":  func(c *tasks.Claim) { c.PRP = "PRP-9" },
	} {
		if err := ask(o, "PRP-1", "a", how); !errors.Is(err, tasks.ErrStale) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := o.Rec("PRP-1").Version; after != before {
		t.Errorf("stale claims have changed the record: version %d, was %d", after, before)
	}
}

func TestAPausedJobIsNotClaimed(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	job := jobOf(o, "PRP-1").ID
	o.Must(o.Trigger("PRP-1", "pause", ""))
	if err := ask(o, "PRP-1", "a", func(c *tasks.Claim) { c.Job = job }); !errors.Is(err, tasks.ErrStale) {
		t.Errorf("claimed: %v", err)
	}
}

func TestAResultThatComesWhileThePRPIsPausedCounts(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	run := o.Claim("PRP-1", "dev-1")
	o.Must(o.Trigger("PRP-1", "pause", ""))
	if why := o.Why("PRP-1"); !strings.Contains(why, "may still finish") {
		t.Errorf("why: %q", why)
	}
	// The broker hands the task out again: it is kept for the holder.
	var later *tasks.RetryAfterError
	if err := ask(o, "PRP-1", "b", func(c *tasks.Claim) { c.Incarnation = "h:2:y" }); !errors.As(err, &later) {
		t.Errorf("a second claim: %v", err)
	}
	if v := o.Deliver(run, tasks.Result{Outcome: tasks.Retry}); v.After != 0 {
		t.Errorf("verdict %+v", v)
	}
	if r := o.Rec("PRP-1"); r.Job() != nil || r.Holder() != nil {
		t.Errorf("job %v, holder %v", r.Job(), r.Holder())
	}
	o.Must(o.Trigger("PRP-1", "resume", ""))
	if r := o.Rec("PRP-1"); r.Job() == nil || r.Fence <= run.Fence {
		t.Errorf("resumed: %+v", r)
	}
}

func TestAResultThatMeansNothingIsAFailure(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	for reason, result := range map[string]tasks.Result{
		"means nothing": {Outcome: tasks.Rejected, Reasons: []string{"?"}},
		"outcome":       {Outcome: "splendid"},
		"no reason":     {Outcome: tasks.Failed},
	} {
		o.Now = o.Now.Add(time.Hour)
		before := o.Rec("PRP-1").Stage.Failures
		o.Deliver(o.Claim("PRP-1", "dev-1"), result)
		if e := o.Last("PRP-1"); e.Event != "run_failed" || !strings.Contains(e.Reason, reason) || o.Rec("PRP-1").Stage.Failures != before+1 {
			t.Errorf("%q: the history says %+v", reason, e)
		}
		if why := o.Why("PRP-1"); !strings.Contains(why, "again after") {
			t.Errorf("why: %q", why)
		}
	}
}

func TestAgentsSettingsComeBeforeTheLifecycles(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	none := 0
	v, err := o.Engine.Deliver(t.Context(), tasks.Delivery{Run: o.Claim("PRP-1", "dev-1"), Result: tasks.Result{Outcome: tasks.Failed}, Retries: &none})
	o.Must(err)
	o.Is("PRP-1", "failed")
	if !v.Failed {
		t.Errorf("verdict %+v", v)
	}
}

// jobOf is the job that a PRP has out.
func jobOf(o *office.Office, id string) tasks.Job {
	o.Helper()
	r := o.Rec(id)
	if r.Job() == nil {
		o.Fatalf("%s has no job in %s", id, r.State)
	}
	return *r.Job()
}
