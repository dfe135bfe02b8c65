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

// give has the broker hand a job to an agent, and answers the claim's error.
func give(o *office.Office, job string, fence int64) error {
	_, err := o.Engine.Claim(o.Context(), tasks.Claim{Run: tasks.Run{ID: "given", PRP: "PRP-1", Job: job, Fence: fence, Agent: "dev-1", Incarnation: office.Home}})
	o.Send()
	return err
}

// fail spends all retries of a PRP.
func fail(o *office.Office, id string) (last tasks.Run) {
	for range workflow.DefaultRetries + 1 {
		last = o.Claim(id, "dev-1")
		o.Deliver(last, tasks.Result{Outcome: tasks.Failed, Reasons: []string{"no compiler"}})
		o.Now = o.Now.Add(time.Hour)
	}
	o.Is(id, "failed")
	return last
}

func TestARedeliveredTaskOfAFailedPRPIsDropped(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	last := fail(o, "PRP-1")
	// Its acknowledgement was lost: the broker hands it out again before anybody
	// has seen it in the archive.
	o.Broker.Task(last.Job).State = tasks.Active
	if err := give(o, last.Job, last.Fence); !errors.Is(err, tasks.ErrStale) {
		t.Errorf("it is run: %v", err)
	}
	o.Is("PRP-1", "failed")
}

func TestAnArchivedTaskThatAnOperatorRunsStartsThePRPAgain(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	last := fail(o, "PRP-1")
	o.Pass(10 * time.Second) // the sweep sees it in the archive
	if err := give(o, last.Job, last.Fence); !errors.Is(err, tasks.ErrStale) {
		t.Errorf("the archived task itself is run: %v", err)
	}
	if r := o.Is("PRP-1", "assigned"); len(r.Dead) != 0 || r.Job() == nil {
		t.Errorf("dead letters %+v, job %v", r.Dead, r.Job())
	}
}

func TestADocumentThatCannotBeReadFailsThePRP(t *testing.T) {
	t.Parallel()
	w := &lossy{}
	o := office.New(t, office.Options{Store: func(s workflow.Store) workflow.Store { w.Store = s; return w }})
	o.Submit("PRP-1", engine.Submission{})
	w.lost = true
	run := o.Run("PRP-1", "dev-1", office.Home)
	if _, err := o.Engine.Claim(t.Context(), tasks.Claim{Run: run}); !errors.Is(err, tasks.ErrStale) {
		t.Errorf("the runtime would ask again for ever: %v", err)
	}
	r := o.Is("PRP-1", "failed")
	if len(r.Dead) != 1 || r.Dead[0].Cause != workflow.CauseDocument || !strings.Contains(o.Why("PRP-1"), "document") {
		t.Errorf("dead letters %+v, why %q", r.Dead, o.Why("PRP-1"))
	}
}

func TestDeadLettersGoWithTheirPRP(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	last := fail(o, "PRP-1")
	o.Must(o.Trigger("PRP-1", "cancel", ""))
	dead, err := o.Store.DeadLetters(t.Context())
	o.Must(err)
	if r := o.Rec("PRP-1"); len(dead) != 0 || len(r.Dead) != 0 || o.Broker.Task(last.Job) != nil {
		t.Errorf("dead letters %+v and %+v, task %v", dead, r.Dead, o.Broker.Task(last.Job))
	}
}

func TestAFailureKeepsItsReasonAndSaysWhatHelps(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	var v tasks.Verdict
	for range workflow.MaxRefusals {
		v = o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Done, Notes: "no result file was written"})
		o.Now = o.Now.Add(time.Hour)
	}
	r := o.Is("PRP-1", "failed")
	for what, text := range map[string]string{"why": o.Why("PRP-1"), "inbox": strings.Join(o.Inbox, "\n"), "record": r.Failure + "prpflow retry PRP-1", "verdict": v.Reason + "prpflow retry PRP-1"} {
		for _, part := range []string{"refused 5 times", "tests_passed", "no result file was written", "prpflow retry PRP-1"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s does not say %q: %s", what, part, text)
			}
		}
	}
	dead, err := o.Store.DeadLetters(t.Context())
	o.Must(err)
	if len(dead) != 1 || dead[0].Cause != workflow.CauseRefused || dead[0].Reason != r.Failure || dead[0].Attempt != 5 {
		t.Errorf("dead letters %+v", dead)
	}
	o.Must(o.Trigger("PRP-1", "retry", ""))
	if r = o.Is("PRP-1", "assigned"); r.Failure != "" || len(r.Dead) != 0 {
		t.Errorf("after retry: failure %q, dead letters %+v", r.Failure, r.Dead)
	}
}
