package workflow

import (
	"context"
	"fmt"
	"slices"
)

// EventDropped notes that a person threw a dead letter away.
const EventDropped = "dead_letter_dropped"

// DeadLetter finds a dead letter by its id.
func (e *Engine) DeadLetter(ctx context.Context, id string) (DeadLetter, error) {
	all, err := e.Store.DeadLetters(ctx)
	if err != nil {
		return DeadLetter{}, err
	}
	i := slices.IndexFunc(all, func(d DeadLetter) bool { return d.ID == id })
	if i < 0 {
		return DeadLetter{}, fmt.Errorf("there is no dead letter %s: `prpflow dlq list` shows those that are: %w", id, ErrNotFound)
	}
	return all[i], nil
}

// DropDeadLetter throws a dead letter away. Its PRP stays as it is.
func (e *Engine) DropDeadLetter(ctx context.Context, id, actor, reason string) error {
	dead, err := e.DeadLetter(ctx, id)
	if err != nil {
		return err
	}
	_, _, err = e.change(ctx, dead.PRP, "", "", func(c Context, rec Record) (Transition, bool, error) {
		d := newDraft(c, rec)
		i := slices.IndexFunc(d.rec.Dead, func(l DeadLetter) bool { return l.ID == id })
		if i < 0 {
			return Transition{}, false, nil
		}
		d.rec.Dead = slices.Delete(d.rec.Dead, i, i+1)
		d.t.Raise = append(d.t.Raise, id)
		d.send(OutboxEntry{Kind: SendRemove, Queue: dead.Queue, Job: id})
		d.note(Input{Event: EventDropped, Actor: actor, Reason: reason}, d.rec.State)
		return d.done(), true, nil
	})
	return err
}
