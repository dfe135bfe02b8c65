package workflow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prpflow/prpflow/fsm"
)

// ErrUnknownEvent is returned for an event that the PRP's lifecycle does not know.
var ErrUnknownEvent = errors.New("unknown event")

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

// Trigger fires an event. The record after it comes back.
func (e *Engine) Trigger(ctx context.Context, tr Trigger) (Record, error) {
	if tr.Event == EventUndepend || tr.Event == EventPause || tr.Event == EventResume {
		return e.hold(ctx, tr)
	}
	rec, _, err := e.change(ctx, tr.PRP, tr.RequestID, tr.Event, func(c Context, rec Record) (Transition, bool, error) {
		t, err := decideTrigger(c, rec, tr)
		return t, true, err
	})
	return rec, err
}

// hold does what is no edge of a lifecycle: pause, resume, undepend.
func (e *Engine) hold(ctx context.Context, tr Trigger) (Record, error) {
	in := Input{Event: tr.Event, Actor: tr.Actor, Reason: tr.Reason, By: ByPerson}
	rec, _, err := e.change(ctx, tr.PRP, tr.RequestID, tr.Event, func(c Context, rec Record) (Transition, bool, error) {
		if s, _ := c.Lifecycle.State(rec.State); s.Terminal {
			return Transition{}, false, fmt.Errorf("%s: %w: it is %s, %s has no effect on it", rec.ID, ErrConflict, rec.State, tr.Event)
		}
		switch tr.Event {
		case EventPause:
			t, ok := decidePause(c, rec, in)
			return t, ok, nil
		case EventResume:
			t, ok := decideResume(c, rec, in)
			return t, ok, nil
		}
		t, err := decideUndepend(c, rec, in)
		return t, true, err
	})
	return rec, err
}

// decideTrigger answers an event of a person.
func decideTrigger(c Context, rec Record, tr Trigger) (Transition, error) {
	if !slices.Contains(c.Lifecycle.Events(), tr.Event) {
		return Transition{}, fmt.Errorf("%w %q: the lifecycle knows %s", ErrUnknownEvent, tr.Event, strings.Join(c.Lifecycle.Events(), ", "))
	}
	edge, err := c.Lifecycle.Next(rec.State, tr.Event, rec.Back)
	if err != nil {
		return Transition{}, refused(rec, tr.Event, c.Lifecycle)
	}
	if len(edge.By) > 0 && !slices.Contains(edge.By, ByPerson) {
		return Transition{}, fmt.Errorf("%s: %w: %s is fired by the %s, not by a person", rec.ID, ErrConflict, tr.Event, strings.Join(edge.By, " or "))
	}
	in := Input{Event: tr.Event, Actor: tr.Actor, Reason: tr.Reason, Answer: tr.Answer, Evidence: tr.Evidence, By: ByPerson}
	if tr.Event == "approve" || tr.Event == rec.Awaits {
		in.Evidence = maps.Clone(rec.Evidence) // what the agent has shown stays shown
		if in.Evidence == nil {
			in.Evidence = map[string]any{}
		}
		maps.Copy(in.Evidence, tr.Evidence)
		in.Evidence["approved"] = true
	}
	if tr.Answer != "" {
		in.Reason = tr.Answer
	}
	d := newDraft(c, rec)
	d.rejectedByPerson(&in)
	if err := d.fire(in); err != nil {
		return Transition{}, err
	}
	d.settle()
	return d.done(), nil
}

// refused says which events the state does allow.
func refused(rec Record, event string, lc *fsm.Lifecycle) error {
	var allowed []string
	for _, e := range lc.Edges(rec.State) {
		if len(e.By) == 0 || slices.Contains(e.By, ByPerson) {
			allowed = append(allowed, e.Event)
		}
	}
	can := "nothing more can happen to it"
	if len(allowed) > 0 {
		can = "a person may fire " + strings.Join(allowed, ", ")
	}
	return fmt.Errorf("%s: %w: %s is not possible in the state %s; %s", rec.ID, ErrConflict, event, rec.State, can)
}
