package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/internal/office"
)

func TestARecordThatCannotBeReadStopsNobodyElse(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Crowd.Join("h:2:y", dev(2))
	for i := range 6 {
		o.Submit(fmt.Sprintf("BAD-%d", i), engine.Submission{})
	}
	o.Submit("PRP-1", engine.Submission{})
	o.Submit("PRP-2", engine.Submission{})
	bad, _ := o.Take("BAD-0", "dev-2", "h:2:y")
	o.Take("PRP-1", "dev-2", "h:2:y")
	two := o.Rec("PRP-2")
	for i := range 6 {
		o.Disk.Damage(fmt.Sprintf("BAD-%d", i), workflow.ErrUnreadable)
	}
	o.Broker.Lose(two.Job().ID)
	o.Crowd.Process("h:2:y").Silent = true
	o.Pass(promise)
	if r := o.Rec("PRP-1"); r.Holder() != nil {
		t.Errorf("PRP-1 is held by %v", r.Holder())
	}
	if r := o.Rec("PRP-2"); r.Job().ID == two.Job().ID {
		t.Error("the lost task of PRP-2 was not noticed")
	}
	if o.Crowd.Process("h:2:y") != nil {
		t.Error("the dead process is not forgotten")
	}
	for i := range 6 {
		o.Disk.Damage(fmt.Sprintf("BAD-%d", i), nil)
	}
	o.Pass(time.Minute)
	if r := o.Rec("BAD-0"); r.Holder() != nil && r.Holder().Run == bad.ID {
		t.Error("the bad one is not looked at again")
	}
}

func TestIdsWhoseRecordsAreGoneLeaveTheLooks(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	for i := range 600 {
		id := fmt.Sprintf("GONE-%d", i)
		r := o.Submit(id, engine.Submission{})
		c := workflow.Change{Token: id, SeenVersion: r.Version, SeenState: r.State, Record: r, LookIn: time.Millisecond}
		_, err := o.Store.Apply(t.Context(), c)
		o.Must(err)
		o.Disk.Evict(id)
		o.Broker.Lose(r.Job().ID)
	}
	o.Submit("PRP-1", engine.Submission{})
	run := o.Claim("PRP-1", "dev-1")
	o.Crowd.Forgets(run)
	o.Pass(promise)
	if r := o.Rec("PRP-1"); r.Holder() != nil {
		t.Error("those that are gone stand before the one that is there")
	}
	if ids, _ := o.Store.Due(t.Context(), 1000); len(ids) > 1 {
		t.Errorf("%d are due for ever", len(ids))
	}
	// Their jobs count as out no longer: a lost task is noticed by the numbers.
	o.Submit("PRP-2", engine.Submission{})
	before := o.Rec("PRP-2")
	o.Pass(time.Minute)
	if out, _ := o.Store.Published(t.Context()); out != 2 {
		t.Errorf("%d jobs count as out, want 2", out)
	}
	o.Broker.Lose(before.Job().ID)
	o.Pass(promise)
	if r := o.Rec("PRP-2"); r.Job().ID == before.Job().ID {
		t.Error("the lost task of PRP-2 was not noticed")
	}
}

func TestWorkWaitsOnlyWithWhoTakesIt(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(o *office.Office){
		"is limited":   func(o *office.Office) { o.Crowd.Agent("dev-1").LimitedUntil = o.Now.Add(5 * time.Hour) },
		"is draining":  func(o *office.Office) { o.Crowd.Agent("dev-1").Draining = true },
		"is unwell":    func(o *office.Office) { o.Crowd.Agent("dev-1").Unwell = "no such program" },
		"paused queue": func(o *office.Office) { o.Broker.Paused["agent:dev-1:p1"] = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := office.New(t, office.Options{})
			o.Submit("PRP-1", engine.Submission{})
			o.Submit("PRP-2", engine.Submission{})
			sticky(o, "PRP-2")
			refuse(o)
			o.Pass(promise)
			if r := o.Rec("PRP-1"); r.Job().Agent != "dev-1" {
				t.Errorf("nobody else is there, and it went to %q", r.Job().Agent)
			}
			if why := o.Why("PRP-1"); !strings.Contains(why, strings.TrimPrefix(name, "paused ")) {
				t.Errorf("why: %q", why)
			}
			o.Crowd.Join("h:2:y", dev(2))
			o.Pass(promise)
			for i := range 4 {
				o.Submit(fmt.Sprintf("NEW-%d", i), engine.Submission{})
			}
			for _, id := range []string{"PRP-1", "PRP-2", "NEW-0", "NEW-1", "NEW-2", "NEW-3"} {
				if r := o.Rec(id); r.Job().Agent != "dev-2" {
					t.Errorf("%s waits for %s: %s", id, r.Job().Agent, o.Why(id))
				}
			}
		})
	}
}

func TestAJobThatALimitParkedGoesToWhoIsFree(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Limited, RetryAfter: tasks.Duration(5 * time.Hour)})
	o.Crowd.Agent("dev-1").LimitedUntil = o.Now.Add(5 * time.Hour)
	o.Pass(promise)
	if why := o.Why("PRP-1"); !strings.Contains(why, "limited") {
		t.Errorf("why: %q", why)
	}
	o.Crowd.Join("h:2:y", dev(2))
	o.Pass(promise)
	if r := o.Rec("PRP-1"); r.Job().Agent != "dev-2" || r.Attempt != 1 || r.Stage.Failures != 0 {
		t.Errorf("it waits for %s: %s", r.Job().Agent, o.Why("PRP-1"))
	}
}

func TestARetryIsNotHurriedByItsAgentsLeaving(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Failed, Reasons: []string{"no compiler"}})
	before := o.Rec("PRP-1")
	o.Crowd.Agent("dev-1").Draining = true
	o.Crowd.Join("h:2:y", dev(2))
	o.Pass(5 * time.Second)
	if r := o.Rec("PRP-1"); r.Fence != before.Fence {
		t.Errorf("published again: %+v", o.Last("PRP-1"))
	}
}

func TestAPausedRoleKeepsItsWork(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{Agents: []tasks.Agent{}})
	o.Submit("PRP-1", engine.Submission{})
	o.Broker.Paused["role:developer"] = true
	o.Crowd.Join("h:2:y", dev(2))
	o.Pass(promise)
	if r := o.Rec("PRP-1"); r.Job().Queue != "role:developer" || !strings.Contains(o.Why("PRP-1"), "queue resume role:developer") {
		t.Errorf("in %s: %s", r.Job().Queue, o.Why("PRP-1"))
	}
	o.Broker.Paused["role:developer"] = false
	o.Pass(promise)
	if r := o.Rec("PRP-1"); r.Job().Queue != "agent:dev-2:p1" {
		t.Errorf("in %s: %s", r.Job().Queue, o.Why("PRP-1"))
	}
}

func TestALeaseThatNobodyWantsIsFreed(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	for _, id := range []string{"PRP-1", "PRP-2"} {
		o.Submit(id, engine.Submission{Repo: "/srv/x"})
	}
	_, err := o.Store.AcquireLease(t.Context(), "/srv/x", "PRP-1:3:left-behind", 1)
	o.Must(err)
	_, err = o.Store.AcquireLease(t.Context(), "/srv/x", "GHOST:3:n", 1)
	o.Must(err)
	o.To("PRP-2", "validation", "integration")
	o.Pass(promise)
	if r := o.Rec("PRP-2"); r.Job() == nil {
		t.Errorf("PRP-2: %s", o.Why("PRP-2"))
	}
	if line := o.Disk.Lease("/srv/x"); len(line) != 1 {
		t.Errorf("on the lease: %v", line)
	}
}

func TestAPlaceOnALeaseThatIsLostIsTakenAgain(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	for _, id := range []string{"PRP-1", "PRP-2"} {
		o.Submit(id, engine.Submission{Repo: "/srv/x"})
		o.To(id, "validation", "integration")
	}
	for _, m := range o.Disk.Lease("/srv/x") {
		_, err := o.Store.ReleaseLease(t.Context(), "/srv/x", m, 1)
		o.Must(err)
	}
	o.Pass(promise)
	if why := o.Why("PRP-2"); strings.Contains(why, "merge lease") && len(o.Disk.Lease("/srv/x")) == 0 {
		t.Errorf("PRP-2: %s, and it is on no list", why)
	}
}

// blind is a broker or a registry that cannot be reached.
var errBlind = fmt.Errorf("read tcp: %w", workflow.ErrUnavailable)

type deaf struct {
	workflow.Store
	off bool
}

func (d *deaf) Due(ctx context.Context, limit int) ([]string, error) {
	if d.off {
		return nil, errBlind
	}
	return d.Store.Due(ctx, limit)
}

func TestADutyThatFailsStopsNoOther(t *testing.T) {
	t.Parallel()
	d := &deaf{}
	o := office.New(t, office.Options{Store: func(s workflow.Store) workflow.Store { d.Store = s; return d }})
	o.Crowd.Join("h:2:y", dev(2))
	o.Submit("PRP-1", engine.Submission{})
	o.Submit("PRP-2", engine.Submission{})
	o.Take("PRP-1", "dev-2", "h:2:y")
	two := o.Rec("PRP-2")
	o.Broker.Lose(two.Job().ID)
	d.off = true
	o.Crowd.Process("h:2:y").Silent = true
	o.Pass(promise)
	if r := o.Rec("PRP-1"); r.Holder() != nil {
		t.Error("the dead process was not buried")
	}
	if r := o.Rec("PRP-2"); r.Job().ID == two.Job().ID {
		t.Error("the lost task was not noticed")
	}
}

// Who cannot take work gets none: over random teams, no job waits at an agent
// that cannot take it, while one that can is idle, for longer than 5 s.
func TestNoJobWaitsWhereNobodyTakesItWhileAnotherIsIdle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		o := office.New(t, office.Options{Agents: []tasks.Agent{}})
		o.Crowd.Members = nil
		team := 2 + r.IntN(4)
		for i := range team {
			a := dev(i)
			a.Concurrency = 1 + r.IntN(2)
			o.Crowd.Join(fmt.Sprintf("h:%d:x", i), a)
		}
		for i := range 2 + r.IntN(10) {
			o.Submit(fmt.Sprintf("PRP-%d", i), engine.Submission{Priority: tasks.Priorities[r.IntN(4)]})
			change(o, r, team)
			o.Pass(time.Duration(r.IntN(3000)) * time.Millisecond)
			work(o, r)
		}
		o.Pass(5 * time.Second)
		if odd := misplaced(o); odd != "" {
			t.Fatalf("seed %d: %s", seed, odd)
		}
	}
}

// change makes some agent take work no longer, or again.
func change(o *office.Office, r *rand.Rand, team int) {
	name := fmt.Sprintf("dev-%d", r.IntN(team))
	a := o.Crowd.Agent(name)
	switch r.IntN(6) {
	case 0:
		a.LimitedUntil = o.Now.Add(time.Hour)
	case 1:
		a.Draining = true
	case 2:
		a.Unwell = "no such program"
	case 3:
		o.Broker.Paused[tasks.AgentQueue(name, tasks.Priorities[r.IntN(4)])] = true
	case 4:
		a.LimitedUntil, a.Draining, a.Unwell = time.Time{}, false, ""
		for _, q := range tasks.AgentQueues(name) {
			delete(o.Broker.Paused, q)
		}
	}
}

// work has agents that take work take some.
func work(o *office.Office, r *rand.Rand) {
	views, err := o.Engine.List(o.Context())
	o.Must(err)
	for _, v := range views {
		rec := o.Rec(v.ID)
		job := rec.Job()
		if job == nil || rec.Holder() != nil || job.Agent == "" || r.IntN(3) > 0 {
			continue
		}
		if a := o.Crowd.Agent(job.Agent); a.Unavailable(o.Now) == "" && !o.Broker.Paused[job.Queue] && a.Free() > 0 {
			for _, p := range o.Crowd.Members {
				if len(p.Agents) > 0 && p.Agents[0].Name == job.Agent {
					o.Take(v.ID, job.Agent, p.Incarnation)
				}
			}
		}
	}
}

// misplaced names a job that waits at an agent that cannot take it, while one
// that can is idle.
func misplaced(o *office.Office) string {
	views, err := o.Engine.List(o.Context())
	o.Must(err)
	takes := func(a *tasks.Agent, priority string) bool {
		return a.Unavailable(o.Now) == "" && !o.Broker.Paused[tasks.AgentQueue(a.Name, priority)]
	}
	for _, v := range views {
		rec := o.Rec(v.ID)
		job := rec.Job()
		if job == nil || rec.Holder() != nil {
			continue
		}
		if job.Agent != "" && takes(o.Crowd.Agent(job.Agent), job.Priority) && o.Crowd.Agent(job.Agent).Free() > 0 {
			continue
		}
		for _, p := range o.Crowd.Members {
			if len(p.Agents) == 0 {
				continue
			}
			a := &p.Agents[0]
			if a.Name != job.Agent && a.Running == 0 && len(waiting(o, a.Name)) == 0 && takes(a, job.Priority) {
				return fmt.Sprintf("%s waits in %s (%s) while %s is idle", v.ID, job.Queue, v.Why, a.Name)
			}
		}
	}
	return ""
}

func waiting(o *office.Office, agent string) (jobs []string) {
	for _, q := range tasks.AgentQueues(agent) {
		jobs = append(jobs, o.Broker.In(q)...)
	}
	return jobs
}

func TestAStoreThatCannotBeReachedIsSaidOnceAndOutlived(t *testing.T) {
	t.Parallel()
	d := &deaf{off: true}
	o := office.New(t, office.Options{Store: func(s workflow.Store) workflow.Store { d.Store = s; return d }})
	o.Pass(time.Second)
	for _, duty := range o.Sweeper.Duties() {
		if err := duty.Do(t.Context()); duty.Name == "looks" != errors.Is(err, workflow.ErrUnavailable) {
			t.Errorf("%s: %v", duty.Name, err)
		}
	}
	d.off = false
	for _, duty := range o.Sweeper.Duties() {
		o.Must(duty.Do(t.Context()))
	}
}

func TestAnOlderProgramIsGivenWorkOnlyWhereNobodyElseIs(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{Agents: []tasks.Agent{}})
	o.Crowd.Join("h:2:old", dev(1)).Schema = workflow.SchemaVersion - 1
	o.Submit("PRP-1", engine.Submission{})
	if r := o.Rec("PRP-1"); r.Job().Agent != "dev-1" || !strings.Contains(o.Why("PRP-1"), "runs an older prpflow") {
		t.Errorf("with %q: %s", r.Job().Agent, o.Why("PRP-1"))
	}
	o.Crowd.Join("h:3:new", dev(2))
	o.Pass(promise)
	o.Submit("PRP-2", engine.Submission{})
	for _, id := range []string{"PRP-1", "PRP-2"} {
		if r := o.Rec(id); r.Job().Agent != "dev-2" {
			t.Errorf("%s waits for %s", id, r.Job().Agent)
		}
	}
}
