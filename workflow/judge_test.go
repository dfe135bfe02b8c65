package workflow_test

import (
	"testing"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// judged says after how long a process that fell silent loses its job, sweeps
// coming every second from the given time on.
func judged(o *office, from time.Duration) time.Duration {
	o.Helper()
	start := o.now
	for o.now = start.Add(from); o.now.Sub(start) < time.Minute; o.now = o.now.Add(time.Second) {
		o.must(o.engine.Sweep(o.Context()))
		if o.rec("PRP-1").Holder == nil {
			return o.now.Sub(start)
		}
	}
	return 0
}

func TestWhoFallsSilentIsGoneAfterThePeriod(t *testing.T) {
	t.Parallel()
	o, _, c := newShop(t)
	o.submit("PRP-1", workflow.Submission{})
	run := o.claim("PRP-1", "dev-1")
	o.pass(c, 5*time.Second, run)
	if after := judged(o, time.Second); after != workflow.DefaultGoneAfter {
		t.Errorf("judged after %v", after)
	}
}

func TestWhoWasBlindJudgesNobodyForAWhile(t *testing.T) {
	t.Parallel()
	o, _, c := newShop(t)
	o.submit("PRP-1", workflow.Submission{})
	run := o.claim("PRP-1", "dev-1")
	o.pass(c, 5*time.Second, run)
	blind := 20 * time.Second
	if after, want := judged(o, blind), blind+workflow.DefaultGoneAfter+5*time.Second; after < want {
		t.Errorf("judged after %v, not before %v", after, want)
	}
}

func TestWhoWasForgottenAndComesBackIsSeenAnew(t *testing.T) {
	t.Parallel()
	o, _, c := newShop(t)
	o.submit("PRP-1", workflow.Submission{})
	o.must(o.engine.Sweep(t.Context())) // it has beaten once
	for len(c.processes) > 0 {
		o.now = o.now.Add(time.Second)
		o.must(o.engine.Sweep(t.Context()))
	}
	c.join("h:1:x", o.peers.agents...) // it has beaten once, again
	run := o.claim("PRP-1", "dev-1")
	c.processes[0].Runs = append(c.processes[0].Runs, run)
	o.now = o.now.Add(500 * time.Millisecond)
	o.must(o.engine.Sweep(t.Context()))
	if o.rec("PRP-1").Holder == nil {
		t.Error("it was judged by its former life")
	}
}

func TestWhoClaimsAfterItsJudgementIsNotGone(t *testing.T) {
	t.Parallel()
	o, _, c := newShop(t)
	o.submit("PRP-1", workflow.Submission{})
	o.pass(c, 2*time.Second)
	for range 5 {
		o.now = o.now.Add(time.Second)
		o.must(o.engine.Sweep(t.Context()))
	}
	c.then = func() { // it was frozen, and goes on while the sweep thinks
		c.then = nil
		o.now = o.now.Add(time.Second)
		o.claim("PRP-1", "dev-1")
	}
	o.now = o.now.Add(time.Second)
	o.must(o.engine.Sweep(t.Context()))
	if o.rec("PRP-1").Holder == nil || len(c.processes) != 0 {
		t.Errorf("held by %v, known: %v", o.rec("PRP-1").Holder, c.processes)
	}
	o.pass(c, workflow.FirstLook+2*workflow.SecondLook+time.Second)
	if o.rec("PRP-1").Holder != nil {
		t.Error("the look does not see that the process is unknown")
	}
}
