package workflow

import (
	"fmt"
	"slices"

	"github.com/prpflow/prpflow/tasks"
)

// Events that every lifecycle has, whatever its states.
const (
	EventSubmitted = "submitted"
	EventPause     = "pause"
	EventResume    = "resume"
	EventUndepend  = "undepend"
	EventRevise    = "revised"
)

// decideCreate makes a record out of a submission and takes its first edges.
func decideCreate(c Context, rec Record, actor string) Transition {
	rec.State, rec.Fence, rec.Attempt = c.Lifecycle.Initial(), 1, 1
	rec.Lifecycle = c.Lifecycle.Hash()
	d := newDraft(c, rec)
	d.t.SeenVersion, d.t.SeenState = 0, ""
	d.note(Input{Event: EventSubmitted, Actor: actor}, "")
	d.settle()
	return d.done()
}

// decidePause stops all that is not running. False: it is paused already.
func decidePause(c Context, rec Record, in Input) (Transition, bool) {
	if rec.Paused {
		return Transition{}, false
	}
	d := newDraft(c, rec)
	d.rec.Paused = true
	if d.rec.Job != nil && d.rec.Holder == nil {
		d.forget()
		d.rec.Job = nil
		d.rec.Fence++
		d.rec.WaitWhy = ""
	}
	d.note(in, d.rec.State)
	return d.done(), true
}

// decideResume publishes what pause held back. False: it is not paused.
func decideResume(c Context, rec Record, in Input) (Transition, bool) {
	if !rec.Paused {
		return Transition{}, false
	}
	d := newDraft(c, rec)
	d.rec.Paused = false
	d.note(in, d.rec.State)
	if d.state().Working() && d.rec.Job == nil && d.rec.Awaits == "" && (d.rec.Lease == "" || d.rec.Granted) {
		d.rec.Fence++
		d.publish()
	}
	d.settle()
	return d.done(), true
}

// decideUndepend lets the PRP go without its dependencies.
func decideUndepend(c Context, rec Record, in Input) (Transition, error) {
	if len(rec.BlockedBy) == 0 {
		return Transition{}, fmt.Errorf("%s: %w: it waits for no other PRP", rec.ID, ErrConflict)
	}
	d := newDraft(c, rec)
	d.rec.DependsOn = slices.DeleteFunc(d.rec.DependsOn, func(id string) bool { return slices.Contains(d.rec.BlockedBy, id) })
	d.rec.BlockedBy = nil
	d.note(in, d.rec.State)
	d.settle()
	return d.done(), nil
}

// decideUnblock notes which dependencies are not complete yet.
func decideUnblock(c Context, rec Record, blocked, escalate []string) (Transition, bool) {
	if slices.Equal(rec.BlockedBy, blocked) && len(escalate) == 0 {
		return Transition{}, false
	}
	d := newDraft(c, rec)
	d.rec.BlockedBy = blocked
	for _, dep := range escalate {
		d.rec.Escalated = append(d.rec.Escalated, "dependency "+dep)
		d.tell(fmt.Sprintf("%s waits for %s, which will not complete by itself: revise it, or `prpflow undepend %s`.", rec.ID, dep, rec.ID))
	}
	d.settle()
	return d.done(), true
}

// decideRevise puts a mended document in place of the old one.
func decideRevise(c Context, rec Record, next Record, in Input) Transition {
	d := newDraft(c, rec)
	d.rec.Document, d.rec.Title, d.rec.Priority, d.rec.Repo = next.Document, next.Title, next.Priority, next.Repo
	d.rec.Source, d.rec.Findings = next.Source, clone(next.Findings)
	d.rec.DependsOn, d.rec.BlockedBy, d.rec.Unresolved = clone(next.DependsOn), clone(next.BlockedBy), clone(next.Unresolved)
	d.rec.Revision++
	d.note(in, d.rec.State)
	d.settle()
	return d.done()
}

// decideGrant publishes the job of a PRP whose turn at the merge lease has come.
func decideGrant(c Context, rec Record) (Transition, bool) {
	if rec.Lease == "" || rec.Granted {
		return Transition{}, false
	}
	d := newDraft(c, rec)
	d.rec.Granted = true
	if d.state().Working() && d.rec.Job == nil && !d.rec.Paused {
		d.rec.Fence++
		d.note(Input{Event: "lease_granted", Actor: ActorEngine, Reason: d.rec.Lease}, d.rec.State)
		d.publish()
	}
	return d.done(), true
}

// rejectedByPerson counts a rejection that a person fires as one of an agent.
func (d *draft) rejectedByPerson(in *Input) {
	if in.Event != d.state().Results[string(tasks.Rejected)] || in.Event == "" {
		return
	}
	d.refuse(0)
	if in.Reason != "" {
		in.Reasons = []string{in.Reason}
	}
}
