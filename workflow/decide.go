package workflow

import (
	"fmt"
	"strings"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
)

// Limits that the engine keeps where the lifecycle states none.
const (
	DefaultRetries    = 3
	DefaultRetryDelay = 10 * time.Second
	MaxRefusals       = 5 // rejections and refused evidence since the last retry
	MaxLost           = 5 // runs lost in a row
)

// Input is an event and all that comes with it.
type Input struct {
	Event    string
	Actor    string
	Reason   string
	Answer   string
	Evidence map[string]any
	Reasons  []string // what the next task is to carry
	Job      string   // job whose result caused it
	By       string   // agent, person or engine
}

// Context is what a decision needs beside the record. It is data, so that the
// same input always gives the same decision.
type Context struct {
	Lifecycle *fsm.Lifecycle
	Now       time.Time
	Nonce     string // random; ids of jobs and outbox entries are made of it
}

// Transition is what a decision asks to be saved, all of it or nothing.
type Transition = Change

// Decide answers an event with the transition that follows from it, or says
// why the record's state does not allow it. It changes nothing.
func Decide(c Context, rec Record, in Input) (Transition, error) {
	d := newDraft(c, rec)
	if err := d.fire(in); err != nil {
		return Transition{}, err
	}
	d.settle()
	return d.done(), nil
}

// draft is a transition in the making.
type draft struct {
	Context
	rec Record
	t   Transition
	ids int
}

func newDraft(c Context, rec Record) *draft {
	d := &draft{Context: c, rec: rec.Clone()}
	d.t.SeenVersion, d.t.SeenState = rec.Version, rec.State
	d.t.Token = c.Nonce
	return d
}

// done closes the draft: the next look is set, and holders are made known.
func (d *draft) done() Transition {
	d.rec.Schema = SchemaVersion
	d.rec.Version = d.t.SeenVersion + 1
	d.t.LookIn = lookIn(d.rec, d.Now, 0)
	d.t.Record = d.rec
	return d.t
}

func (d *draft) id() string {
	d.ids++
	return fmt.Sprintf("%s-%d", d.Nonce, d.ids)
}

func (d *draft) state() fsm.State {
	s, _ := d.Lifecycle.State(d.rec.State)
	return s
}

// facts are what guards see.
func (d *draft) facts(evidence map[string]any) fsm.Facts {
	r := d.rec
	return fsm.Facts{
		PRP: map[string]any{
			"id": r.ID, "title": r.Title, "state": r.State, "priority": r.Priority, "repo": r.Repo,
			"revision": r.Revision, "fit": len(r.Findings) == 0, "unblocked": len(r.BlockedBy) == 0,
		},
		Evidence: evidence,
		Attempt:  r.Attempt,
	}
}

// fire takes the edge of an event, if state and guards allow it.
func (d *draft) fire(in Input) error {
	edge, err := d.Lifecycle.Next(d.rec.State, in.Event, d.rec.Back)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", d.rec.ID, ErrConflict, err)
	}
	missing, err := edge.Check(d.facts(in.Evidence))
	if err != nil {
		return fmt.Errorf("%s: %w: guard of %s: %w", d.rec.ID, ErrConflict, in.Event, err)
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s: %w: %s is refused, it needs %s", d.rec.ID, ErrConflict, in.Event, strings.Join(missing, ", "))
	}
	d.move(edge, in)
	return nil
}

// settle takes the edges that the engine takes by itself, as long as there are.
func (d *draft) settle() {
	for range d.Lifecycle.States() {
		if d.rec.Paused || !d.step() {
			return
		}
	}
}

func (d *draft) step() bool {
	for _, edge := range d.Lifecycle.Edges(d.rec.State) {
		if !edge.Auto {
			continue
		}
		if missing, err := edge.Check(d.facts(nil)); err == nil && len(missing) == 0 {
			d.move(edge, Input{Event: edge.Event, Actor: ActorEngine, By: ByEngine})
			return true
		}
	}
	return false
}

// move leaves the state and enters the next, with all that follows from it.
func (d *draft) move(edge fsm.Edge, in Input) {
	from := d.state()
	if edge.Event == from.Claim && from.Claim != "" { // the job goes on in the next state
		d.rec.State = edge.To
		d.note(in, edge.From)
		d.enterDeadline()
		return
	}
	d.leave(in)
	back := d.rec.State
	d.rec.State = edge.To
	d.rec.Fence++
	d.rec.Reasons = clone(in.Reasons)
	d.rec.Answer = in.Answer
	d.rec.Failures, d.rec.Lost, d.rec.Runs = 0, 0, 0
	d.rec.Escalated = nil
	if edge.Resets {
		d.rec.Refused = 0
		d.raise()
	}
	to := d.state()
	d.rec.Back, d.rec.Question, d.rec.Awaits, d.rec.Evidence = "", "", "", nil
	if !to.Working() && !to.Terminal && from.Working() {
		d.rec.Back = back
	}
	d.note(in, edge.From)
	d.enterDeadline()
	switch {
	case to.Working() && to.Capacity > 0 && d.rec.Repo != "":
		d.rec.Lease, d.rec.Granted = d.rec.Repo, false
		d.rec.Member = fmt.Sprintf("%s:%d", d.rec.ID, d.rec.Fence)
		d.send(OutboxEntry{Kind: SendAcquire, Lease: d.rec.Lease, Member: d.rec.Member})
	case to.Working():
		d.publish()
	}
	if to.Terminal || !to.Working() && givenUp(d.Lifecycle, d.rec.State) {
		d.send(OutboxEntry{Kind: SendLook})
	}
}

// leave drops what belongs to the state that is left: job, holder, lease.
func (d *draft) leave(in Input) {
	if d.rec.Job != nil && d.rec.Job.ID != in.Job {
		d.forget()
	}
	d.letGo()
	d.rec.Job = nil
	d.rec.WaitUntil, d.rec.WaitWhy, d.rec.Suspect = time.Time{}, "", nil
	if d.rec.Lease != "" {
		d.send(OutboxEntry{Kind: SendRelease, Lease: d.rec.Lease, Member: d.rec.Member})
		d.rec.Lease, d.rec.Member, d.rec.Granted = "", "", false
	}
}

// letGo ends the hold of whoever runs the job.
func (d *draft) letGo() {
	if d.rec.Holder != nil {
		d.t.Release = d.rec.Holder.Incarnation
		d.rec.Holder = nil
	}
}

// forget takes the job's task out of the broker. A task that somebody runs is
// left to him: he learns that it is stale and ends it.
func (d *draft) forget() {
	if d.rec.Job != nil && d.rec.Holder == nil {
		d.send(OutboxEntry{Kind: SendRemove, Queue: d.rec.Job.Queue, Job: d.rec.Job.ID})
	}
}

// publish makes the job that the state asks for. A paused PRP publishes
// nothing: resume does.
func (d *draft) publish() {
	d.rec.Job = nil
	if d.rec.Paused {
		return
	}
	s := d.state()
	sticky := d.rec.Agents[s.Role]
	job := tasks.Job{
		ID: tasks.NewJobID(d.rec.ID, d.rec.Fence, d.Nonce), PRP: d.rec.ID, Fence: d.rec.Fence,
		Type: s.Task, Role: s.Role, Agent: sticky, Priority: d.rec.Priority, Timeout: s.Timeout,
	}
	if job.Priority == "" {
		job.Priority = s.Priority
	}
	d.rec.Job = &job
	d.send(OutboxEntry{Kind: SendTask, Task: &job})
	if n := len(d.t.History); n > 0 {
		d.t.History[n-1].Published = job.ID
	}
}

// republish gives the job out again under a new fence.
func (d *draft) republish(event, reason string) {
	d.forget()
	d.letGo()
	d.rec.Fence++
	d.rec.WaitUntil, d.rec.WaitWhy, d.rec.Suspect = time.Time{}, "", nil
	d.note(Input{Event: event, Actor: ActorEngine, Reason: reason}, d.rec.State)
	d.publish()
}

// giveUp takes the edge to the failed state. With a cause it buries the job.
func (d *draft) giveUp(actor, reason, cause, by string) error {
	event := d.state().Results[string(tasks.Failed)]
	edge, err := d.Lifecycle.Next(d.rec.State, event, d.rec.Back)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", d.rec.ID, ErrConflict, err)
	}
	if job := d.rec.Job; cause != "" && job != nil {
		dead := DeadLetter{ID: job.ID, PRP: d.rec.ID, Queue: job.Queue, Cause: cause, Reason: reason, Attempt: d.rec.Runs, At: d.Now}
		d.t.Bury = append(d.t.Bury, dead)
		d.rec.Dead = append(d.rec.Dead, dead)
	}
	d.move(edge, Input{Event: event, Actor: actor, Reason: reason, Job: by, By: ByEngine})
	d.tell(fmt.Sprintf("%s (%s) has failed: %s. `prpflow retry %s` gives it out again.", d.rec.ID, d.rec.Title, reason, d.rec.ID))
	return nil
}

// raise takes the PRP's dead letters out of the store and the broker.
func (d *draft) raise() {
	for _, dead := range d.rec.Dead {
		d.t.Raise = append(d.t.Raise, dead.ID)
		d.send(OutboxEntry{Kind: SendRemove, Queue: dead.Queue, Job: dead.ID})
	}
	d.rec.Dead = nil
}

// refuse counts a rejection or refused evidence; false: there have been too many.
func (d *draft) refuse(limit int) bool {
	if limit <= 0 {
		limit = MaxRefusals
	}
	d.rec.Refused++
	d.rec.Attempt++
	return d.rec.Refused < limit
}

func (d *draft) enterDeadline() {
	d.rec.Deadline = time.Time{}
	if s := d.state(); s.Deadline > 0 {
		d.rec.Deadline = d.Now.Add(s.Deadline)
	}
}

// note appends a line to the history.
func (d *draft) note(in Input, from string) {
	d.t.History = append(d.t.History, Entry{
		Event: in.Event, From: from, To: d.rec.State, Actor: in.Actor, Reason: in.Reason,
		Job: in.Job, Attempt: d.rec.Attempt, Evidence: in.Evidence,
	})
}

func (d *draft) send(e OutboxEntry) {
	e.ID, e.PRP = d.id(), d.rec.ID
	d.t.Outbox = append(d.t.Outbox, e)
}

// tell puts a message into the orchestrator's inbox.
func (d *draft) tell(text string) {
	d.send(OutboxEntry{Kind: SendMessage, To: Orchestrator, Text: text, Urgent: true})
}

// Names that the engine itself goes by.
const (
	ActorEngine  = "engine"
	Orchestrator = "orchestrator"
	ByAgent      = "agent"
	ByPerson     = "person"
	ByEngine     = "engine"
)

// lookIn is the time to the next look of the sweep at a record that has been
// quiet for so long, 0 where nothing can go wrong with it.
func lookIn(r Record, now time.Time, quiet time.Duration) time.Duration {
	var in time.Duration
	switch {
	case r.Paused && r.Holder == nil:
	case r.Suspect != nil:
		in = SecondLook
	case r.Holder != nil:
		in = FirstLook
	case r.Job != nil, r.Lease != "", len(r.BlockedBy) > 0:
		in = min(max(quiet, FirstLook), LongestLook)
	}
	if !r.Deadline.IsZero() && !r.Paused {
		if left := max(r.Deadline.Sub(now), time.Millisecond); in == 0 || left < in {
			in = left
		}
	}
	return in
}

// How long the sweep waits before it looks at a PRP.
const (
	FirstLook   = 5 * time.Second
	SecondLook  = 2 * time.Second // after something odd was seen
	LongestLook = 5 * time.Minute
)
