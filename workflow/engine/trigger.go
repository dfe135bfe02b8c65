package engine

import (
	"context"

	"github.com/prpflow/prpflow/workflow"
)

// Trigger fires an event of a person. The record after it comes back.
func (e *Engine) Trigger(ctx context.Context, tr workflow.Trigger) (workflow.Record, error) {
	rec, _, err := e.changeOnce(ctx, tr.PRP, tr.RequestID, tr.Event, func(c workflow.Context, rec workflow.Record) (workflow.Change, bool, error) {
		return workflow.Fire(c, rec, tr)
	})
	return rec, err
}
