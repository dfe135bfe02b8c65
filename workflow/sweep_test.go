package workflow_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

func TestATaskThatIsAmissIsPublishedAgainAtTheSecondLook(t *testing.T) {
	t.Parallel()
	for state, says := range map[tasks.TaskState]string{
		tasks.Absent: "in no queue", tasks.Active: "taken and not claimed",
	} {
		o, b, c := newShop(t)
		o.submit("PRP-1", workflow.Submission{})
		o.sent()
		before := o.rec("PRP-1")
		b.state = state
		o.pass(c, workflow.FirstLook+time.Second)
		if r := o.rec("PRP-1"); r.Suspect == nil || r.Job.ID != before.Job.ID {
			t.Errorf("%s, one look: suspect %v, job %v", state, r.Suspect, r.Job)
		}
		o.pass(c, 2*workflow.SecondLook)
		r := o.rec("PRP-1")
		if r.Fence != before.Fence+1 || r.Job.ID == before.Job.ID || r.Suspect != nil || r.Lost != 0 {
			t.Errorf("%s, two looks: %+v", state, r)
		}
		if e := o.last("PRP-1"); e.Event != "redeliver" || !strings.Contains(e.Reason, says) || e.Published != r.Job.ID {
			t.Errorf("%s: the history says %+v", state, e)
		}
	}
}

func TestWhatIsStillInTheOutboxIsNotAmiss(t *testing.T) {
	t.Parallel()
	o, b, c := newShop(t)
	o.submit("PRP-1", workflow.Submission{})
	b.state = tasks.Absent
	o.pass(c, time.Minute)
	if r := o.rec("PRP-1"); r.Suspect != nil || r.Fence != 3 {
		t.Errorf("suspect %v, fence %d", r.Suspect, r.Fence)
	}
}

func TestWhatWasAmissOnceIsForgotten(t *testing.T) {
	t.Parallel()
	o, b, c := newShop(t)
	o.submit("PRP-1", workflow.Submission{})
	o.sent()
	before := o.rec("PRP-1")
	b.state = tasks.Absent
	o.pass(c, workflow.FirstLook)
	b.state = tasks.Pending
	o.pass(c, time.Minute)
	if r := o.rec("PRP-1"); r.Suspect != nil || r.Fence != before.Fence {
		t.Errorf("suspect %v, fence %d, was %d", r.Suspect, r.Fence, before.Fence)
	}
}

func TestATaskThatAnOperatorArchivedFailsThePRP(t *testing.T) {
	t.Parallel()
	o, b, c := newShop(t)
	o.submit("PRP-1", workflow.Submission{})
	o.sent()
	b.state = tasks.Archived
	o.pass(c, workflow.FirstLook)
	r := o.is("PRP-1", "failed")
	if len(r.Dead) != 1 || r.Dead[0].Cause != workflow.CauseArchived {
		t.Errorf("dead letters %+v", r.Dead)
	}
	if why := o.why("PRP-1"); !strings.Contains(why, "archived by an operator") {
		t.Errorf("why: %q", why)
	}
	for _, e := range o.sent() {
		if e.Kind == workflow.SendRemove {
			t.Errorf("the archived task is taken from the operator: %+v", e)
		}
	}
}

func TestARunInNobodysHandIsGivenOutAgain(t *testing.T) {
	t.Parallel()
	o, _, c := newShop(t)
	o.submit("PRP-1", workflow.Submission{})
	run := o.claim("PRP-1", "dev-1")
	o.pass(c, time.Minute, run)
	if r := o.rec("PRP-1"); r.Holder == nil || r.Holder.Run != run.ID {
		t.Fatalf("a run in hand was taken: %+v", r.Holder)
	}
	o.pass(c, workflow.FirstLook+2*workflow.SecondLook)
	if r := o.rec("PRP-1"); r.Holder != nil || r.Lost != 1 || r.Fence != run.Fence+1 {
		t.Errorf("holder %v, lost %d, fence %d", r.Holder, r.Lost, r.Fence)
	}
	if e := o.last("PRP-1"); !strings.Contains(e.Reason, "does not run it") {
		t.Errorf("the history says %q", e.Reason)
	}
}

func TestAHolderThatNobodyKnowsLosesTheJob(t *testing.T) {
	t.Parallel()
	o, _, c := newShop(t)
	o.submit("PRP-1", workflow.Submission{})
	o.claim("PRP-1", "dev-1")
	c.processes[0].Incarnation = "h:2:y"
	o.pass(c, workflow.FirstLook+2*workflow.SecondLook)
	if r := o.rec("PRP-1"); r.Holder != nil || r.Lost != 1 {
		t.Errorf("holder %v, lost %d", r.Holder, r.Lost)
	}
}

func TestTheQueuesOfAGoneAgentAreEmptied(t *testing.T) {
	t.Parallel()
	o, b, c := newShop(t)
	o.submit("PRP-1", workflow.Submission{})
	waits := o.rec("PRP-1").Job
	o.sent()
	o.submit("PRP-2", workflow.Submission{})
	o.must(o.trigger("PRP-2", "pause", ""))
	queue := "agent:dev-1:p1"
	b.lists[queue+"/pending"] = []string{waits.ID, "PRP-2:3:old", "PRP-9:1:n", "somebody else's"}
	b.lists[queue+"/active"] = []string{"PRP-1:1:old", "somebody else's"}
	c.join("h:2:y", tasks.Agent{Name: "dev-2", Role: "developer", Concurrency: 1})
	o.peers.agents[0] = tasks.Agent{Name: "dev-2", Role: "developer", Concurrency: 1}
	o.now = o.now.Add(time.Second)
	c.processes[0].Left = true
	o.must(o.engine.Sweep(t.Context()))
	if r := o.rec("PRP-1"); r.Job.ID == waits.ID || r.Job.Agent != "dev-2" {
		t.Errorf("the job that waited: %+v", r.Job)
	}
	slices.Sort(b.removed)
	if want := []string{"PRP-1:1:old", "PRP-2:3:old", "PRP-9:1:n"}; !slices.Equal(b.removed, want) {
		t.Errorf("removed %v, want %v", b.removed, want)
	}
	if len(c.processes) != 1 {
		t.Error("the gone process is not forgotten")
	}
}

func TestAnAgentOfTheSameNameKeepsItsQueues(t *testing.T) {
	t.Parallel()
	o, b, c := newShop(t)
	o.submit("PRP-1", workflow.Submission{})
	o.sent()
	before := o.rec("PRP-1")
	b.lists["agent:dev-1:p1/pending"] = []string{before.Job.ID}
	c.join("h:2:y", o.peers.agents...)
	c.processes[0].Dead = true
	o.must(o.engine.Sweep(t.Context()))
	if r := o.rec("PRP-1"); r.Fence != before.Fence {
		t.Errorf("the job went away: %+v", r.Job)
	}
}

func TestAnIdleAgentGetsABusyPeersJob(t *testing.T) {
	t.Parallel()
	o, b, c := newShop(t)
	o.submit("PRP-1", workflow.Submission{})
	o.sent()
	b.lists["agent:dev-1:p1/pending"] = []string{"somebody else's", "PRP-9:1:n", o.rec("PRP-1").Job.ID}
	c.processes[0].Agents = slices.Clone(c.processes[0].Agents)
	c.processes[0].Agents[0].Running = 1
	c.join("h:2:y", tasks.Agent{Name: "dev-2", Role: "developer", Concurrency: 1})
	o.pass(c, 3*time.Second)
	if r := o.rec("PRP-1"); r.Job.Agent != "dev-2" || r.Job.Queue != "agent:dev-2:p1" {
		t.Errorf("the job: %+v", r.Job)
	}
	if e := o.last("PRP-1"); !strings.Contains(e.Reason, "dev-2 is idle") {
		t.Errorf("the history says %q", e.Reason)
	}
}

func TestOnlyOneSweeps(t *testing.T) {
	t.Parallel()
	o, _, _ := newShop(t)
	if ok, err := o.store.Lead(t.Context(), "another", time.Minute); !ok || err != nil {
		t.Fatal(ok, err)
	}
	o.must(o.engine.Sweep(t.Context()))
	if o.engine.Leads() {
		t.Error("two sweep")
	}
}
