package sweep_test

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

// promise is how soon the sweep acts on what it finds.
const promise = 10 * time.Second

func dev(n int) tasks.Agent {
	return tasks.Agent{Name: fmt.Sprintf("dev-%d", n), Role: "developer", Concurrency: 1}
}

func TestALostTaskIsPublishedAgain(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	before := o.Submit("PRP-1", engine.Submission{})
	o.Broker.Lose(before.Job().ID)
	o.Pass(promise)
	r := o.Rec("PRP-1")
	if r.Job().ID == before.Job().ID || r.Fence <= before.Fence || o.Broker.Task(r.Job().ID) == nil {
		t.Errorf("the job is %+v", r.Job())
	}
	if e := o.Last("PRP-1"); e.Event != "redeliver" || !strings.Contains(e.Reason, "in no queue") || e.Published != r.Job().ID {
		t.Errorf("the history says %+v", e)
	}
}

func TestATaskThatWasTakenAndNotClaimedIsPublishedAgain(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	before := o.Submit("PRP-1", engine.Submission{})
	o.Broker.Task(before.Job().ID).State = tasks.Active
	o.Pass(promise)
	r := o.Rec("PRP-1")
	if e := o.Last("PRP-1"); r.Fence != before.Fence+1 || r.Stage.Lost != 0 || !strings.Contains(e.Reason, "taken and not claimed") {
		t.Errorf("fence %d, lost %d, the history says %+v", r.Fence, r.Stage.Lost, e)
	}
}

func TestWhatIsStillInTheOutboxIsNotLost(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submits("PRP-1", engine.Submission{})
	before := o.Rec("PRP-1")
	for range 60 {
		o.Now = o.Now.Add(time.Second)
		o.Sweep()
	}
	if r := o.Rec("PRP-1"); r.Fence != before.Fence {
		t.Errorf("fence %d, was %d", r.Fence, before.Fence)
	}
}

func TestATaskThatAnOperatorArchivedFailsThePRP(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	r := o.Submit("PRP-1", engine.Submission{})
	job := r.Job().ID
	o.Broker.Task(job).State = tasks.Archived
	o.Pass(promise)
	r = o.Is("PRP-1", "failed")
	if len(r.Dead) != 1 || r.Dead[0].Cause != workflow.CauseArchived {
		t.Errorf("dead letters %+v", r.Dead)
	}
	if why := o.Why("PRP-1"); !strings.Contains(why, "archived by an operator") || !strings.Contains(why, "prpflow retry PRP-1") {
		t.Errorf("why: %q", why)
	}
	if o.Broker.Task(job) == nil {
		t.Error("the archived task is taken from the operator")
	}
}

func TestARunInNobodysHandIsPublishedAgain(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	run := o.Claim("PRP-1", "dev-1")
	o.Pass(time.Minute)
	if r := o.Rec("PRP-1"); r.Holder() == nil || r.Holder().Run != run.ID {
		t.Fatalf("a run in hand was taken: %+v", r.Holder())
	}
	o.Crowd.Forgets(run)
	o.Pass(promise)
	if r := o.Rec("PRP-1"); r.Holder() != nil || r.Stage.Lost != 1 || r.Fence != run.Fence+1 {
		t.Errorf("holder %v, lost %d, fence %d", r.Holder(), r.Stage.Lost, r.Fence)
	}
	if e := o.Last("PRP-1"); !strings.Contains(e.Reason, "does not run it") {
		t.Errorf("the history says %q", e.Reason)
	}
}

func TestAHolderThatNobodyKnowsLosesTheJob(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Claim("PRP-1", "dev-1")
	o.Crowd.Process(office.Home).Incarnation = "h:2:y"
	o.Pass(promise)
	if r := o.Rec("PRP-1"); r.Holder() != nil || r.Stage.Lost != 1 {
		t.Errorf("holder %v, lost %d", r.Holder(), r.Stage.Lost)
	}
}

func TestWhatAGoneProcessHeldAndWhatWaitedForItGoesElsewhere(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{Agents: []tasks.Agent{}})
	o.Crowd.Join("h:2:y", dev(1))
	o.Submit("PRP-1", engine.Submission{})
	o.Take("PRP-1", "dev-1", "h:2:y")
	waits := o.Submit("PRP-2", engine.Submission{})
	o.Broker.Put("agent:dev-1:p1", "PRP-2:1:old", tasks.Pending)
	o.Broker.Put("agent:dev-1:p1", "PRP-1:1:old", tasks.Active)
	o.Broker.Put("agent:dev-1:p1", "another program's", tasks.Pending)
	o.Crowd.Join("h:3:z", dev(2))
	o.Crowd.Process("h:2:y").Silent = true
	o.Pass(promise)
	for _, id := range []string{"PRP-1", "PRP-2"} {
		if r := o.Rec(id); r.Holder() != nil || r.Job().Agent != "dev-2" {
			t.Errorf("%s: held by %v, job %+v", id, r.Holder(), r.Job())
		}
	}
	if o.Crowd.Process("h:2:y") != nil {
		t.Error("the gone process is not forgotten")
	}
	if left := o.Broker.In("agent:dev-1:p1"); len(left) != 1 || left[0] != "another program's" {
		t.Errorf("in the queue of the gone agent: %v; the job was %s", left, waits.Job().ID)
	}
}

func TestAnAgentOfTheSameNameKeepsItsQueues(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	before := o.Submit("PRP-1", engine.Submission{})
	o.Crowd.Join("h:2:y", office.Usual()...)
	o.Crowd.Process(office.Home).Dead = true
	o.Pass(promise)
	if r := o.Rec("PRP-1"); r.Fence != before.Fence {
		t.Errorf("the job went away: %+v", r.Job())
	}
}

func TestAnIdleAgentGetsABusyPeersJob(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-0", engine.Submission{})
	o.Claim("PRP-0", "dev-1")
	for i := range 12 { // those that must stay with who knows them come first
		id := fmt.Sprintf("STICKY-%d", i)
		o.Submit(id, engine.Submission{})
		sticky(o, id)
	}
	o.Submit("PRP-1", engine.Submission{})
	o.Crowd.Join("h:2:y", dev(2))
	o.Pass(promise)
	if r := o.Rec("PRP-1"); r.Job().Agent != "dev-2" || r.Job().Queue != "agent:dev-2:p1" {
		t.Errorf("the job: %+v", r.Job())
	}
	if e := o.Last("PRP-1"); !strings.Contains(e.Reason, "dev-2 is idle") {
		t.Errorf("the history says %q", e.Reason)
	}
	if r := o.Rec("STICKY-3"); r.Job().Agent != "dev-1" {
		t.Errorf("a sticky job went to %s", r.Job().Agent)
	}
}

// sticky makes a PRP one that dev-1 has had.
func sticky(o *office.Office, id string) {
	o.Helper()
	r := o.Rec(id)
	c := workflow.Change{Token: "sticky-" + id, SeenVersion: r.Version, SeenState: r.State, Record: r.Clone()}
	c.Record.Agents = map[string]string{"developer": "dev-1"}
	c.Record.Job().Sticky = true
	_, err := o.Store.Apply(o.Context(), c)
	o.Must(err)
}

func TestOnlyOneSweeps(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	if ok, err := o.Store.Lead(t.Context(), "another", time.Minute); !ok || err != nil {
		t.Fatal(ok, err)
	}
	o.Sweep()
	if o.Sweeper.Leads() {
		t.Error("two sweep")
	}
	o.Pass(time.Minute + time.Second)
	if !o.Sweeper.Leads() {
		t.Error("nobody sweeps")
	}
}

func TestAProcessThatDiesAtItTooOftenFailsThePRP(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{Agents: []tasks.Agent{}})
	o.Submit("PRP-1", engine.Submission{})
	for i := range workflow.MaxLost {
		name := fmt.Sprintf("h:9:%d", i)
		o.Crowd.Join(name, dev(1))
		o.Pass(promise)
		o.Take("PRP-1", "dev-1", name)
		o.Crowd.Process(name).Dead = true
		o.Pass(2 * time.Second)
	}
	r := o.Is("PRP-1", "failed")
	if len(r.Dead) != 1 || r.Dead[0].Cause != workflow.CauseLost || !strings.Contains(r.Failure, "died 5 times") {
		t.Errorf("failure %q, dead letters %+v", r.Failure, r.Dead)
	}
}

func TestWhoClaimsAfterItsJudgementIsNotGone(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{Agents: []tasks.Agent{}})
	o.Crowd.Join("h:2:y", dev(1))
	o.Submit("PRP-1", engine.Submission{})
	o.Pass(2 * time.Second)
	o.Crowd.Process("h:2:y").Silent = true
	o.Pass(5 * time.Second)
	var run tasks.Run
	o.Crowd.Then = func() { // it was frozen, and goes on while the sweep thinks
		if gone := o.Now.Sub(o.Crowd.Process("h:2:y").Seen); gone < tasks.DefaultGoneAfter {
			return
		}
		o.Crowd.Then = nil
		o.Now = o.Now.Add(time.Second)
		run, _ = o.Take("PRP-1", "dev-1", "h:2:y")
	}
	o.Pass(2 * time.Second)
	if r := o.Rec("PRP-1"); run.ID == "" || r.Holder() == nil {
		t.Errorf("run %q, held by %v", run.ID, r.Holder())
	}
	o.Pass(promise)
	if r := o.Rec("PRP-1"); r.Holder() != nil {
		t.Error("the look does not see that the process is unknown")
	}
}

func TestADeadlineFailsWhoWorksAndReportsWhoWaits(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{Lifecycle: withDeadline})
	o.Submit("PRP-1", engine.Submission{})
	o.Submit("PRP-2", engine.Submission{})
	o.Must(o.Trigger("PRP-2", "park", ""))
	o.Now = o.Now.Add(time.Hour)
	o.Pass(promise)
	r := o.Is("PRP-1", "failed")
	if !strings.Contains(r.Failure, "deadline") || len(r.Dead) != 1 || r.Dead[0].Cause != workflow.CauseDeadline {
		t.Errorf("failure %q, dead letters %+v", r.Failure, r.Dead)
	}
	if r = o.Is("PRP-2", "waiting"); !r.Stage.Deadline.IsZero() {
		t.Error("the deadline is reported again and again")
	}
}

const withDeadline = `
name: careful
roles: [developer]
initial: new
states:
  new: {}
  work: {role: developer, task: prp.develop, results: {done: accept, failed: fail}, deadline: 1h}
  waiting: {deadline: 1h}
  failed: {}
  complete: {terminal: true, success: true}
edges:
  - {event: begin, from: new, to: work, auto: true}
  - {event: accept, from: work, to: complete, by: [agent, person], guard: evidence.tests_passed}
  - {event: park, from: work, to: waiting, by: person}
  - {event: unpark, from: waiting, to: work, by: person}
  - {event: fail, from: work, to: failed}
  - {event: retry, from: failed, to: work, by: person, resets: true}
  - {event: cancel, from: [new, work, waiting, failed], to: complete, by: person}
`

func TestAPauseStopsTheClockOfTheState(t *testing.T) { // C16
	t.Parallel()
	o := office.New(t, office.Options{Lifecycle: withDeadline})
	o.Submit("PRP-1", engine.Submission{})
	o.Now = o.Now.Add(30 * time.Minute)
	o.Must(o.Trigger("PRP-1", "pause", ""))
	o.Now = o.Now.Add(2 * time.Hour)
	o.Pass(promise)
	o.Must(o.Trigger("PRP-1", "resume", ""))
	o.Pass(promise)
	r := o.Is("PRP-1", "work")
	if left := r.Stage.Deadline.Sub(o.Now); left < 29*time.Minute || left > 30*time.Minute {
		t.Errorf("%v of the hour is left", left)
	}
	o.Now = o.Now.Add(30 * time.Minute)
	o.Pass(promise)
	o.Is("PRP-1", "failed")
}

func TestRefusedHeartbeatsMakeNobodyLookDead(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	run := o.Claim("PRP-1", "dev-1")
	o.Pass(5 * time.Second)
	o.Crowd.Refuses = errors.New("OOM command not allowed")
	o.Pass(14 * time.Second)
	o.Crowd.Refuses = nil
	o.Crowd.Process(office.Home).Silent = true // it reconnects late
	o.Pass(4 * time.Second)
	o.Crowd.Process(office.Home).Silent = false
	o.Pass(time.Minute)
	if r := o.Rec("PRP-1"); r.Holder() == nil || r.Holder().Run != run.ID || r.Stage.Lost != 0 {
		t.Errorf("held by %v, lost %d", r.Holder(), r.Stage.Lost)
	}
}
