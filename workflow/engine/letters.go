package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/prpflow/prpflow/workflow"
)

// DeadLetter finds a dead letter by its id.
func (e *Engine) DeadLetter(ctx context.Context, id string) (workflow.DeadLetter, error) {
	d, err := e.cfg.Store.DeadLetter(ctx, id)
	if errors.Is(err, workflow.ErrNotFound) {
		err = fmt.Errorf("there is no dead letter %s: `prpflow dlq list` shows those that are: %w", id, workflow.ErrNotFound)
	}
	return d, err
}

// DropDeadLetter throws a dead letter away. Its PRP stays as it is.
func (e *Engine) DropDeadLetter(ctx context.Context, id, actor, reason string) error {
	dead, err := e.DeadLetter(ctx, id)
	if err != nil {
		return err
	}
	_, _, err = e.change(ctx, dead.PRP, func(c workflow.Context, rec workflow.Record) (workflow.Change, bool, error) {
		return workflow.DropLetter(c, rec, id, workflow.Input{Actor: actor, Reason: reason})
	})
	return err
}
