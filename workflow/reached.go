package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Reached gives the errors of a broker and a registry their class: whatever goes
// wrong there, the same call may go through later, and it says nothing about the
// PRP that it was made for. Either may be nil.
func Reached(b Broker, r Registry) (Broker, Registry) {
	if b != nil {
		b = reachedBroker{b}
	}
	if r != nil {
		r = reachedRegistry{r}
	}
	return b, r
}

func unreachable(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

type reachedBroker struct{ Broker }

func (b reachedBroker) Enqueue(ctx context.Context, j tasks.Job) error {
	return unreachable(b.Broker.Enqueue(ctx, j))
}

func (b reachedBroker) Remove(ctx context.Context, queue, job string) error {
	return unreachable(b.Broker.Remove(ctx, queue, job))
}

func (b reachedBroker) States(ctx context.Context, jobs []tasks.JobRef) ([]tasks.TaskState, error) {
	states, err := b.Broker.States(ctx, jobs)
	return states, unreachable(err)
}

func (b reachedBroker) List(ctx context.Context, queue string, in tasks.TaskState, offset, limit int) ([]string, error) {
	jobs, err := b.Broker.List(ctx, queue, in, offset, limit)
	return jobs, unreachable(err)
}

func (b reachedBroker) Queues(ctx context.Context) ([]tasks.QueueState, error) {
	queues, err := b.Broker.Queues(ctx)
	return queues, unreachable(err)
}

func (b reachedBroker) QueuesOf(ctx context.Context, queues []string) ([]tasks.QueueState, error) {
	states, err := b.Broker.QueuesOf(ctx, queues)
	return states, unreachable(err)
}

type reachedRegistry struct{ Registry }

func (r reachedRegistry) Processes(ctx context.Context) ([]tasks.Process, time.Time, error) {
	processes, now, err := r.Registry.Processes(ctx)
	return processes, now, unreachable(err)
}

func (r reachedRegistry) Probe(ctx context.Context, incarnation string) error {
	return unreachable(r.Registry.Probe(ctx, incarnation))
}

func (r reachedRegistry) Forget(ctx context.Context, p tasks.Process) error {
	return unreachable(r.Registry.Forget(ctx, p))
}
