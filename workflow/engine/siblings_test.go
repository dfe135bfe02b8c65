package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/internal/office"
)

func TestAMergeLeaseStaysWhileTheAgentsThatNameItAreAway(t *testing.T) {
	t.Parallel()
	agents := office.Usual()
	agents[2].Repo = "/srv/x"
	o := office.New(t, office.Options{Agents: agents})
	for _, id := range []string{"PRP-1", "PRP-2"} {
		o.Submit(id, engine.Submission{})
		o.To(id, "validation", "integration")
	}
	o.Claim("PRP-1", "int")
	o.Crowd.Process(office.Home).Dead = true
	o.Crowd.Join("h:9:watch")
	o.Pass(10 * time.Second)
	for _, id := range []string{"PRP-1", "PRP-2"} {
		if r := o.Rec(id); r.Stage.Merge == nil || r.Stage.Merge.Lease != "/srv/x" || (r.Job() != nil) != r.Stage.Merge.Granted {
			t.Errorf("%s: %+v, job %v", id, r.Stage.Merge, r.Job())
		}
	}
}

func TestAnAgentsRepositoryCountsAlsoWhereItComesLate(t *testing.T) {
	t.Parallel()
	agents := office.Usual()
	o := office.New(t, office.Options{Agents: agents[:2]})
	for _, id := range []string{"PRP-1", "PRP-2"} {
		o.Submit(id, engine.Submission{})
		o.To(id, "validation", "integration")
	}
	late := agents[2]
	late.Repo, late.Concurrency = "/srv/x", 2
	o.Crowd.Join("h:2:late", late)
	o.Pass(5 * time.Second)
	claimed := 0
	for _, id := range []string{"PRP-1", "PRP-2"} {
		for range 2 { // the first one is sent for the lease
			if r := o.Rec(id); r.Job() == nil || r.Holder() != nil {
				continue
			}
			run := o.Run(id, "int", "h:2:late")
			_, err := o.Engine.Claim(t.Context(), tasks.Claim{Run: run})
			if o.Send(); err == nil {
				claimed++
			} else if !errors.Is(err, tasks.ErrStale) {
				t.Fatal(err)
			}
		}
	}
	if claimed != 1 {
		t.Errorf("%d merge at once", claimed)
	}
}

func TestARevisedPriorityMovesTheJobThatWaits(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	if s := o.Submits("PRP-1", engine.Submission{Revise: true, Priority: "P0"}); s.Err != nil || s.Record.Job().Queue != "agent:dev-1:p0" {
		t.Errorf("the job is in %+v, %v", s.Record.Job(), s.Err)
	}
	o.Send()
	if in := o.Broker.In("agent:dev-1:p1"); len(in) > 0 {
		t.Errorf("left in the old queue: %v", in)
	}
}

func TestARevisedRepositoryNeedsItsOwnLease(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{Repo: "/srv/x"})
	o.Submit("PRP-2", engine.Submission{Repo: "/srv/y"})
	o.To("PRP-1", "validation", "integration")
	o.To("PRP-2", "validation", "integration")
	o.Claim("PRP-1", "int")
	if s := o.Submits("PRP-1", engine.Submission{Revise: true, Repo: "/srv/y/"}); s.Err != nil {
		t.Fatal(s.Err)
	}
	o.Send()
	if r := o.Rec("PRP-1"); r.Job() != nil || r.Stage.Merge == nil || r.Stage.Merge.Lease != "/srv/y" {
		t.Errorf("PRP-1: job %v, lease %+v", r.Job(), r.Stage.Merge)
	}
}

func TestTwoCapacitiesOfOneLeaseDoNotFight(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	ids := []string{"PRP-1", "PRP-2"}
	for _, id := range ids {
		o.Submit(id, engine.Submission{Repo: "r"})
		o.To(id, "validation", "integration")
	}
	one := o.Rec("PRP-1") // its lifecycle had a capacity of two
	c := workflow.Change{Token: "two", SeenVersion: one.Version, SeenState: one.State, Record: one.Clone()}
	c.Record.Stage.Merge.Capacity = 2
	_, err := o.Store.Apply(t.Context(), c)
	o.Must(err)
	before := o.Rec("PRP-2").Version
	o.Pass(time.Minute)
	if after := o.Rec("PRP-2").Version; after != before {
		t.Errorf("PRP-2 was changed %d times", after-before)
	}
}

func TestADependencyThatIsGoneIsReported(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("A", engine.Submission{})
	o.Submit("B", engine.Submission{})
	o.Submit("PRP-1", engine.Submission{Depends: []string{"A", "B"}})
	o.To("A", "validation", "integration", "complete")
	o.Disk.Evict("A") // it was complete, and blocks nobody again
	o.To("B", "validation", "integration", "complete")
	o.Is("PRP-1", "assigned")
	o.Submit("C", engine.Submission{})
	o.Submit("PRP-2", engine.Submission{Depends: []string{"C"}})
	o.Disk.Evict("C")
	o.Must(o.Engine.Unblock(t.Context(), "PRP-2"))
	o.Send()
	if !strings.Contains(strings.Join(o.Inbox, "\n"), "prpflow undepend PRP-2") {
		t.Errorf("the inbox says %q", o.Inbox)
	}
}

func TestWhyNamesTheReasonAndNotADependency(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("X", engine.Submission{})
	for id, says := range map[string]string{"FAILED": "prpflow retry FAILED", "ASKS": "prpflow answer ASKS TEXT"} {
		o.Submit(id, engine.Submission{})
		if id == "FAILED" {
			fail(o, id)
		} else {
			o.Deliver(o.Claim(id, "dev-1"), tasks.Result{Outcome: tasks.Question, Question: "which?"})
		}
		if s := o.Submits(id, engine.Submission{Revise: true, Depends: []string{"X"}}); s.Err != nil {
			t.Fatal(s.Err)
		}
		if why := o.Why(id); !strings.Contains(why, says) {
			t.Errorf("%s: %q", id, why)
		}
	}
	o.Inbox = nil
	o.Must(o.Trigger("X", "cancel", ""))
	if said := strings.Join(o.Inbox, "\n"); strings.Contains(said, "waits for X") {
		t.Errorf("who does not wait is said to wait: %s", said)
	}
}

func TestAnAnswerMayComeAsAReason(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Question, Question: "which?"})
	if err := o.Trigger("PRP-1", "approve", ""); err == nil || !strings.Contains(err.Error(), "`prpflow answer PRP-1 TEXT`") {
		t.Errorf("refused with: %v", err)
	}
	o.Must(o.Trigger("PRP-1", "answer", "that one"))
	if _, a := told(o, "PRP-1"); a.Answer != "that one" || !a.Questions[0].Answered {
		t.Errorf("the task carries %+v", a.Questions)
	}
}

func TestARegistryThatFailsSaysNothingAboutAPRP(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("registry: read: i/o timeout")
	_, r := workflow.Reached(nil, failing{err})
	if _, _, got := r.Processes(t.Context()); workflow.ClassOf(got) != workflow.Unreachable || !errors.Is(got, err) {
		t.Errorf("it is of class %d: %v", workflow.ClassOf(got), got)
	}
}
