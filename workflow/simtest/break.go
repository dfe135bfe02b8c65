package simtest

import (
	"github.com/prpflow/prpflow/workflow"
)

// Break names something that is broken on purpose, to see whether it is found.
type Break int

// What can be broken.
const (
	BreakNothing Break = iota
	BreakSwap          // a change is saved whatever the version is
	BreakClaim         // a claim does not see that somebody holds the job
	BreakDeliver       // a result counts whoever holds the job
	BreakSweep         // nobody sweeps
	BreakOutbox        // an entry is taken off the outbox before it is sent
	BreakPublish       // a change forgets what it was to send
	BreakFence         // a claim does not see that its job is not current
	BreakHasty         // the sweep takes a short silence for death
	BreakLease         // whoever asks for a merge lease owns it
	BreakRequest       // a request id is not remembered
	breakKinds
)

func (b Break) String() string {
	return [...]string{"nothing", "swap", "claim", "deliver", "sweep", "outbox", "publish", "fence", "hasty", "lease", "request"}[b]
}

// load is what a broken process believes to have read.
func (b Break) load(st *store, rec workflow.Record) workflow.Record {
	work := rec.Stage.Work
	if work == nil {
		return rec
	}
	switch {
	case b == BreakClaim && st.p.claiming != nil && work.Holder != nil && work.Holder.Run != st.p.claiming.ID:
		work.Holder = nil
	case b == BreakFence && st.p.claiming != nil:
		work.Job.ID, rec.Fence = st.p.claiming.Job, st.p.claiming.Fence
	case b == BreakDeliver && st.p.delivering != nil:
		run := st.p.delivering
		work.Holder = &workflow.Holder{Incarnation: run.Incarnation, Agent: run.Agent, Run: run.ID}
		work.Job.ID, rec.Fence = run.Job, run.Fence
	}
	return rec
}

// change is what a broken process saves.
func (b Break) change(c workflow.Change) workflow.Change {
	if b == BreakPublish && c.SeenVersion > 1 {
		c.Outbox = nil
	}
	if b == BreakRequest {
		c.Request = ""
	}
	return c
}
