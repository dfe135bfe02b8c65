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

// Who fires an event.
const (
	ByAgent  = "agent"
	ByPerson = "person"
	ByEngine = "engine"
)

// Names that the engine itself goes by.
const (
	ActorEngine  = "engine"
	Orchestrator = "orchestrator"
)

// Input is an event and all that comes with it.
type Input struct {
	Event    string
	Actor    string
	Reason   string
	Evidence map[string]any
	Reasons  []string // what the next tasks are to carry, until work is accepted
	Job      string   // job whose result caused it
	Revision int      // of the document that the run of that job had
	By       string   // ByAgent, ByPerson, ByEngine
}

// Context is what a decision needs beside the record. It is data, so that the
// same input always gives the same decision.
type Context struct {
	Lifecycle *fsm.Lifecycle
	Now       time.Time
	Nonce     string            // random; ids of jobs and outbox entries are made of it
	Repos     map[string]string // repository of each agent, for PRPs that name none
	Roles     map[string]string // role of each agent in Repos
}

// Decide answers an event with the change that follows from it, or says why the
// record's state does not allow it. It changes nothing.
func Decide(c Context, rec Record, in Input) (Change, error) {
	d := begin(c, rec)
	if err := d.fire(in); err != nil {
		return Change{}, err
	}
	return d.done()
}

// draft is a change in the making.
type draft struct {
	Context
	was   Record // as it was read
	rec   Record // as it shall be
	t     Change
	ids   int
	moved bool   // a state was left
	by    string // job whose task ends with its handler's answer
}

func begin(c Context, rec Record) *draft {
	return &draft{Context: c, was: rec, rec: rec.Clone()}
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

// fire takes the edge of an event, if state, firer and guards allow it.
func (d *draft) fire(in Input) error {
	edge, err := d.Lifecycle.Next(d.rec.State, in.Event, d.rec.Stage.Back)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", d.rec.ID, ErrConflict, err)
	}
	if !edge.Allows(in.By) {
		return fmt.Errorf("%s: %w: the event %s is fired by the %s, not by a%s", d.rec.ID, ErrConflict, in.Event, strings.Join(edge.By, " or "), article(in.By))
	}
	missing, err := edge.Check(d.facts(in.Evidence))
	if err != nil {
		return fmt.Errorf("%s: %w: guard of %s: %w", d.rec.ID, ErrConflict, in.Event, err)
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s: %w: the event %s is refused, it needs %s", d.rec.ID, ErrConflict, in.Event, strings.Join(missing, ", "))
	}
	d.move(edge, in)
	return nil
}

func article(by string) string {
	if by == ByPerson {
		return " person"
	}
	return "n " + by
}

// move leaves the state and enters the next.
func (d *draft) move(edge fsm.Edge, in Input) {
	from := d.state()
	d.rec.State = edge.To
	if edge.Event == from.Claim && from.Claim != "" { // the job goes on in the next state
		if d.state().Capacity == 0 {
			d.rec.Stage.Merge = nil
		}
		d.note(in, edge.From)
		d.startClock()
		return
	}
	d.moved = true
	d.rec.Stage, d.rec.Failure = Stage{}, ""
	if edge.Resets {
		d.rec.Refused, d.rec.Dead = 0, nil
	}
	switch {
	case in.Reasons != nil:
		d.rec.Reasons = cutAll(in.Reasons)
	case in.Event == from.Results[string(tasks.Done)]:
		d.rec.Reasons = nil // the work is accepted
	}
	if to := d.state(); !to.Working() && !to.Terminal && from.Working() {
		d.rec.Stage.Back = from.Name
	}
	d.note(in, edge.From)
	d.startClock()
}

// giveUp takes the edge to the failed state and keeps a dead letter.
func (d *draft) giveUp(in Input, cause string) error {
	in.Event, in.By = d.state().Results[string(tasks.Failed)], ByEngine
	edge, err := d.Lifecycle.Next(d.rec.State, in.Event, d.rec.Stage.Back)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", d.rec.ID, ErrConflict, err)
	}
	in.Reason = cut(in.Reason)
	dead := DeadLetter{
		ID: tasks.NewJobID(d.rec.ID, d.rec.Fence, d.Nonce), PRP: d.rec.ID, Cause: cause, Reason: in.Reason,
		Attempt: d.rec.Stage.Runs, At: d.Now, Archived: cause == CauseArchived,
	}
	if job := d.rec.Job(); job != nil {
		dead.ID, dead.Queue = job.ID, job.Queue
	}
	d.rec.Dead = append(d.rec.Dead, dead)
	reasons := d.rec.Reasons
	d.move(edge, in)
	d.rec.Reasons, d.rec.Failure = reasons, in.Reason
	if d.by == dead.ID {
		d.rec.Stage.Letter = dead.ID // the broker archives its task
	}
	d.tell("%s (%s) has failed: %s. `prpflow retry %s` starts it again.", d.rec.ID, d.rec.Title, in.Reason, d.rec.ID)
	return nil
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

// startClock sets the end of the stay in the state.
func (d *draft) startClock() {
	d.rec.Stage.Deadline, d.rec.Stage.Left = time.Time{}, 0
	s := d.state()
	switch {
	case s.Deadline <= 0:
	case d.rec.Paused:
		d.rec.Stage.Left = s.Deadline
	default:
		d.rec.Stage.Deadline = d.Now.Add(s.Deadline)
	}
}

// note appends a line to the history.
func (d *draft) note(in Input, from string) {
	d.t.History = append(d.t.History, Entry{
		Event: in.Event, From: from, To: d.rec.State, Actor: in.Actor, Reason: cut(in.Reason),
		Job: in.Job, Revision: in.Revision, Attempt: d.rec.Attempt, Evidence: in.Evidence,
	})
}

// remark is a note that stays in the state.
func (d *draft) remark(in Input) { d.note(in, d.rec.State) }

// send gives an entry its id, if it has none, and puts it into the outbox.
func (d *draft) send(e OutboxEntry) {
	if e.ID == "" {
		d.ids++
		e.ID = fmt.Sprintf("%s-%d", d.Nonce, d.ids)
	}
	e.PRP = d.rec.ID
	d.t.Outbox = append(d.t.Outbox, e)
}

// tell puts a message into the orchestrator's inbox.
func (d *draft) tell(format string, args ...any) {
	d.send(OutboxEntry{Kind: SendMessage, To: Orchestrator, Text: fmt.Sprintf(format, args...), Urgent: true})
}
