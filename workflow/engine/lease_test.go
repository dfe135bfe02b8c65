package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/internal/office"
)

func TestAPausedPRPDoesNotHoldTheMergeLease(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	for _, id := range []string{"PRP-1", "PRP-2"} {
		o.Submit(id, engine.Submission{Repo: "/srv/x"})
		o.To(id, "validation", "integration")
	}
	o.Must(o.Trigger("PRP-1", "pause", ""))
	if r := o.Rec("PRP-2"); r.Job() == nil {
		t.Fatalf("PRP-2: %s", o.Why("PRP-2"))
	}
	o.Must(o.Trigger("PRP-1", "resume", ""))
	if why := o.Why("PRP-1"); !strings.Contains(why, "which PRP-2 has") {
		t.Errorf("PRP-1: %s", why)
	}
	o.To("PRP-2", "complete")
	if r := o.Rec("PRP-1"); r.Job() == nil {
		t.Errorf("PRP-1: %s", o.Why("PRP-1"))
	}
}

func TestARunThatGoesOnWhileItIsPausedKeepsTheMergeLease(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	for _, id := range []string{"PRP-1", "PRP-2"} {
		o.Submit(id, engine.Submission{Repo: "/srv/x"})
		o.To(id, "validation", "integration")
	}
	run := o.Claim("PRP-1", "int")
	o.Must(o.Trigger("PRP-1", "pause", ""))
	if r := o.Rec("PRP-2"); r.Job() != nil {
		t.Error("two merge at once")
	}
	o.Deliver(run, tasks.Result{Outcome: tasks.Retry})
	if r := o.Rec("PRP-2"); r.Job() == nil {
		t.Errorf("PRP-2: %s", o.Why("PRP-2"))
	}
}

func TestALeaseThatTheStoreLostIsNotActedOn(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	for _, id := range []string{"PRP-1", "PRP-2"} {
		o.Submit(id, engine.Submission{Repo: "/srv/x"})
		o.To(id, "validation", "integration")
	}
	// Its slot loses what it knew: the lease is free, and PRP-2 gets it.
	lose := func() {
		for _, m := range o.Disk.Lease("/srv/x") {
			_, err := o.Store.ReleaseLease(t.Context(), "/srv/x", m, 1)
			o.Must(err)
		}
		two := o.Rec("PRP-2")
		o.Must(o.Engine.Acquire(t.Context(), "PRP-2", "/srv/x", two.Stage.Merge.Member, 1))
		o.Send()
	}
	before := o.Rec("PRP-1")
	job := *before.Job()
	lose()
	if r := o.Rec("PRP-2"); r.Job() == nil {
		t.Fatal("PRP-2 did not get the lease")
	}
	if err := give(o, job.ID, job.Fence); !errors.Is(err, tasks.ErrStale) {
		t.Errorf("PRP-1 begins beside PRP-2: %v", err)
	}
	if why := o.Why("PRP-1"); !strings.Contains(why, "which PRP-2 has") {
		t.Errorf("PRP-1: %s", why)
	}
	o.To("PRP-2", "complete")
	run := o.Claim("PRP-1", "int")
	o.Submit("PRP-3", engine.Submission{Repo: "/srv/x/"})
	o.To("PRP-3", "validation", "integration")
	for _, m := range o.Disk.Lease("/srv/x") {
		_, err := o.Store.ReleaseLease(t.Context(), "/srv/x", m, 1)
		o.Must(err)
	}
	if _, err := o.Engine.Deliver(t.Context(), tasks.Delivery{Run: run, Result: office.Good}); !errors.Is(err, tasks.ErrStale) {
		t.Errorf("a result counts without the lease: %v", err)
	}
	if e := o.Last("PRP-1"); e.Event != workflow.EventLeaseLost {
		t.Errorf("the history says %+v", e)
	}
}

func TestARepositoryHasOneLeaseHoweverItIsSpelled(t *testing.T) {
	t.Parallel()
	agents := office.Usual()
	agents[2].Repo = "/srv/x"
	o := office.New(t, office.Options{Agents: agents})
	for i, repo := range []string{"/srv/x", "/srv/x/", "/srv/../srv/x", ""} {
		id := fmt.Sprintf("PRP-%d", i)
		o.Submit(id, engine.Submission{Repo: repo})
		o.To(id, "validation", "integration")
	}
	jobs := 0
	for i := range 4 {
		r := o.Rec(fmt.Sprintf("PRP-%d", i))
		if r.Job() != nil {
			jobs++
		}
		if m := r.Stage.Merge; m == nil || m.Lease != "/srv/x" {
			t.Errorf("PRP-%d waits on %+v", i, m)
		}
	}
	if jobs != 1 {
		t.Errorf("%d merge at once", jobs)
	}
}

func TestACapacityOfTwoIsTwoAtATime(t *testing.T) {
	t.Parallel()
	lifecycle := strings.Replace(string(defaultSource()), "capacity: 1", "capacity: 2", 1)
	o := office.New(t, office.Options{Lifecycle: lifecycle})
	for i := range 4 {
		id := fmt.Sprintf("PRP-%d", i)
		o.Submit(id, engine.Submission{Repo: "r"})
		o.To(id, "validation", "integration")
	}
	working := func() (ids []string) {
		for i := range 4 {
			r := o.Rec(fmt.Sprintf("PRP-%d", i))
			if r.Job() != nil {
				ids = append(ids, r.ID)
			}
		}
		return ids
	}
	if got := working(); !slices.Equal(got, []string{"PRP-0", "PRP-1"}) {
		t.Fatalf("%v merge", got)
	}
	o.To("PRP-0", "complete")
	if got := working(); !slices.Equal(got, []string{"PRP-1", "PRP-2"}) {
		t.Errorf("%v merge", got)
	}
}
