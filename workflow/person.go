package workflow

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
)

// Events that every lifecycle has, whatever its states.
const (
	EventPause    = "pause"
	EventResume   = "resume"
	EventUndepend = "undepend"
)

// Trigger is an event that a person fires.
type Trigger struct {
	PRP       string
	Event     string
	Actor     string
	Reason    string
	Answer    string
	Evidence  map[string]any
	RequestID string // the same id twice is one transition; "" = none
}

// Fire answers an event of a person. save is false where nothing is to be done.
func Fire(c Context, rec Record, tr Trigger) (t Change, save bool, err error) {
	in := Input{Event: tr.Event, Actor: tr.Actor, Reason: tr.Reason, Evidence: tr.Evidence, By: ByPerson}
	switch tr.Event {
	case EventPause, EventResume, EventUndepend:
		if s, _ := c.Lifecycle.State(rec.State); s.Terminal {
			return t, false, fmt.Errorf("%s: %w: it is %s, %s has no effect on it", rec.ID, ErrConflict, rec.State, tr.Event)
		}
	}
	switch tr.Event {
	case EventPause:
		if rec.Paused {
			return t, false, nil
		}
		t, err = pause(c, rec, in)
	case EventResume:
		if !rec.Paused {
			return t, false, nil
		}
		t, err = resume(c, rec, in)
	case EventUndepend:
		t, err = undepend(c, rec, in)
	default:
		t, err = fireEdge(c, rec, in, tr.Answer)
	}
	return t, err == nil, err
}

func fireEdge(c Context, rec Record, in Input, answer string) (Change, error) {
	if !slices.Contains(c.Lifecycle.Events(), in.Event) {
		return Change{}, fmt.Errorf("%w %q: the lifecycle knows %s", ErrUnknownEvent, in.Event, strings.Join(c.Lifecycle.Events(), ", "))
	}
	edge, err := c.Lifecycle.Next(rec.State, in.Event, rec.Stage.Back)
	if err != nil || !edge.Allows(ByPerson) {
		return Change{}, refused(rec, in.Event, c.Lifecycle)
	}
	if a := rec.Stage.Approval; in.Event == "approve" || a != nil && in.Event == a.Event {
		given := in.Evidence
		in.Evidence = map[string]any{}
		if a != nil { // what the agent has shown stays shown
			maps.Copy(in.Evidence, a.Evidence)
		}
		maps.Copy(in.Evidence, given)
		in.Evidence["approved"] = true
	}
	d := begin(c, rec)
	if answer != "" {
		in.Reason = answer
	}
	if rec.Stage.Asked && edge.To == rec.Stage.Back {
		d.answer(cmp.Or(answer, in.Reason))
	}
	if rejected := d.state().Results[string(tasks.Rejected)]; rejected != "" && in.Event == rejected {
		d.refuse(0) // counted like a rejection by an agent
		if in.Reason != "" {
			in.Reasons = []string{in.Reason}
		}
	}
	if err := d.fire(in); err != nil {
		return Change{}, err
	}
	return d.done()
}

// answer keeps the answer to the open question.
func (d *draft) answer(text string) {
	if q := &d.rec.Questions[len(d.rec.Questions)-1]; text != "" {
		q.Answer, q.Answered = cut(text), true
	}
}

// refused says which events the state does allow, as commands.
func refused(rec Record, event string, lc *fsm.Lifecycle) error {
	var commands []string
	for _, e := range lc.Edges(rec.State) {
		if e.Allows(ByPerson) {
			commands = append(commands, "`"+Command(rec.ID, e)+"`")
		}
	}
	can := "nothing more can happen to it"
	if len(commands) > 0 {
		can = "a person can run " + strings.Join(commands, ", ")
	}
	return fmt.Errorf("%s: %w: the event %s is not possible in the state %s; %s", rec.ID, ErrConflict, event, rec.State, can)
}

// Command is the command line that fires an edge's event.
func Command(id string, e fsm.Edge) string {
	if e.To == fsm.Back {
		return "prpflow answer " + id + " TEXT"
	}
	command := "prpflow trigger " + id + " " + e.Event
	for _, guard := range e.Guards {
		if name, bare := strings.CutPrefix(guard, "evidence."); bare {
			name, _, _ = strings.Cut(name, " ")
			command += " --evidence " + name + "=…"
		}
	}
	return command
}

// pause stops all that is not running, and the clock of the state.
func pause(c Context, rec Record, in Input) (Change, error) {
	d := begin(c, rec)
	d.rec.Paused = true
	if at := rec.Stage.Deadline; !at.IsZero() {
		d.rec.Stage.Deadline, d.rec.Stage.Left = time.Time{}, max(at.Sub(c.Now), time.Millisecond)
	}
	d.remark(in)
	return d.done()
}

// resume publishes what pause held back.
func resume(c Context, rec Record, in Input) (Change, error) {
	d := begin(c, rec)
	d.rec.Paused = false
	if left := rec.Stage.Left; left > 0 {
		d.rec.Stage.Deadline, d.rec.Stage.Left = c.Now.Add(left), 0
	}
	d.remark(in)
	return d.done()
}

// undepend lets the PRP go without the dependencies that are not complete.
func undepend(c Context, rec Record, in Input) (Change, error) {
	if len(rec.BlockedBy) == 0 {
		return Change{}, fmt.Errorf("%s: %w: it waits for no other PRP", rec.ID, ErrConflict)
	}
	d := begin(c, rec)
	d.rec.DependsOn = slices.DeleteFunc(d.rec.DependsOn, func(id string) bool { return slices.Contains(d.rec.BlockedBy, id) })
	d.rec.BlockedBy = nil
	d.remark(in)
	return d.done()
}
