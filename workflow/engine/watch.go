package engine

import (
	"context"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// What follows is what the sweep asks for. Each reads the record again and does
// nothing where it no longer fits what was seen. saved says whether it did.

// Lose takes a job from a holder that was found gone at the time h.Since, if it
// still holds it. Who has claimed after that was not gone.
func (e *Engine) Lose(ctx context.Context, id string, h workflow.Holder, reason string) (saved bool, err error) {
	return e.watched(ctx, id, func(c workflow.Context, rec workflow.Record) (workflow.Change, bool, error) {
		now := rec.Holder()
		if now == nil || now.Incarnation != h.Incarnation || now.Since.After(h.Since) {
			return workflow.Change{}, false, nil
		}
		t, err := workflow.Lose(c, rec, reason)
		return t, err == nil, err
	})
}

// Redeliver publishes a job that nobody has claimed again, for an agent or, with
// "", for whom the router chooses.
func (e *Engine) Redeliver(ctx context.Context, id, job, agent, reason string) (saved bool, err error) {
	return e.watched(ctx, id, func(c workflow.Context, rec workflow.Record) (workflow.Change, bool, error) {
		return workflow.Redeliver(c, rec, job, agent, reason)
	})
}

// Suspect notes something odd about the work of a PRP, and acts on it at the
// second look. "" says that all is well.
func (e *Engine) Suspect(ctx context.Context, id, job, what string) (saved bool, err error) {
	return e.watched(ctx, id, func(c workflow.Context, rec workflow.Record) (workflow.Change, bool, error) {
		if j := rec.Job(); j == nil || j.ID != job {
			return workflow.Change{}, false, nil
		}
		return workflow.Suspicion(c, rec, what)
	})
}

// Overdue ends a stay that has reached its deadline.
func (e *Engine) Overdue(ctx context.Context, id string) (saved bool, err error) {
	return e.watched(ctx, id, workflow.Overdue)
}

// Archived gives up a PRP whose task an operator has archived.
func (e *Engine) Archived(ctx context.Context, id, job string) (saved bool, err error) {
	return e.watched(ctx, id, func(c workflow.Context, rec workflow.Record) (workflow.Change, bool, error) {
		return workflow.Archived(c, rec, job)
	})
}

// LetterSeen notes where the task of a PRP's dead letter is.
func (e *Engine) LetterSeen(ctx context.Context, id string, in tasks.TaskState) (saved bool, err error) {
	return e.watched(ctx, id, func(c workflow.Context, rec workflow.Record) (workflow.Change, bool, error) {
		return workflow.LetterSeen(c, rec, in)
	})
}

// Sound says whether a record keeps the invariants, as far as its lifecycle can
// be read.
func (e *Engine) Sound(ctx context.Context, rec workflow.Record) bool {
	lc, err := e.lifecycle(ctx, rec.Lifecycle)
	return err != nil || rec.Schema >= workflow.SchemaVersion && rec.Check(lc) == nil
}

// Settle brings a record in order that an older version has left: its schema,
// automatic edges, the publication, the lease.
func (e *Engine) Settle(ctx context.Context, id string) (saved bool, err error) {
	return e.watched(ctx, id, func(c workflow.Context, rec workflow.Record) (workflow.Change, bool, error) {
		if rec.Schema >= workflow.SchemaVersion && rec.Check(c.Lifecycle) == nil {
			return workflow.Change{}, false, nil
		}
		t, err := workflow.Touch(c, rec)
		return t, err == nil, err
	})
}

func (e *Engine) watched(ctx context.Context, id string, decide decision) (saved bool, err error) {
	_, _, err = e.change(ctx, id, func(c workflow.Context, rec workflow.Record) (workflow.Change, bool, error) {
		t, save, err := decide(c, rec)
		saved = save && err == nil
		return t, save, err
	})
	return saved && err == nil, err
}
