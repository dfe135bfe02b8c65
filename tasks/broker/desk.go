package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hibiken/asynq"

	"github.com/prpflow/prpflow/tasks"
)

// forgetTimeout bounds the removal of a task that Asynq has lost sight of.
const forgetTimeout = 5 * time.Second

// newerDelay is how long a task of a newer program waits each time that this
// one has taken it. It spends nothing and stays until somebody who knows it comes.
const newerDelay = 10 * time.Second

// desk is where a server's handlers are called, watched and waited for.
type desk struct {
	broker  *Broker
	handle  func(context.Context, tasks.Order) error
	log     *slog.Logger
	abandon chan struct{} // closed when nobody waits for handlers any longer

	mu     sync.Mutex
	runs   map[context.Context]*run // by Asynq's context of the run
	delays map[string]time.Duration // by job id: asked for by a cancelled run
	idle   chan struct{}            // closed when runs is empty, nil while nobody asks
}

// run is one call of the handler.
type run struct {
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when the handler has returned
	err    error         // its answer, once done is closed
}

func newDesk(b *Broker, handle func(context.Context, tasks.Order) error) *desk {
	return &desk{
		broker:  b,
		handle:  handle,
		log:     b.log,
		abandon: make(chan struct{}),
		runs:    make(map[context.Context]*run),
		delays:  make(map[string]time.Duration),
	}
}

// process is Asynq's handler.
func (d *desk) process(ctx context.Context, t *asynq.Task) error {
	o, err := orderOf(ctx, t)
	switch {
	case errors.Is(err, tasks.ErrNewerOrder):
		return toAsynq(tasks.RetryAfter(newerDelay, err))
	case err != nil:
		return toAsynq(tasks.Permanent(err))
	}
	runCtx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	r := &run{cancel: cancel, done: make(chan struct{})}
	if !d.begin(ctx, r) {
		return toAsynq(ctx.Err())
	}
	r.err = d.call(runCtx, o)
	d.end(ctx, r)
	return toAsynq(r.err)
}

// orderOf reads a task. One that is no order, or not the one its id says, was
// not made by Enqueue and never will be better. A newer order, ErrNewerOrder, will.
func orderOf(ctx context.Context, t *asynq.Task) (tasks.Order, error) {
	id, _ := asynq.GetTaskID(ctx)
	o, err := tasks.DecodeOrder(t.Payload())
	if err == nil && o.Job != id {
		err = fmt.Errorf("it holds the order of job %s", o.Job)
	}
	if err != nil {
		return o, fmt.Errorf("task %s cannot be run: %w", id, err)
	}
	return o, nil
}

// call runs the handler. A panic is an error like any other, its stack is logged.
func (d *desk) call(ctx context.Context, o tasks.Order) (err error) {
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("the handler of job %s panicked: %v", o.Job, x)
			d.log.Error("a handler panicked", "job", o.Job, "panic", x, "stack", string(debug.Stack()))
		}
	}()
	return d.handle(ctx, o)
}

// begin books a run. It refuses one that Asynq has ended before it began:
// ended has been called then, and found nothing to wait for.
func (d *desk) begin(ctx context.Context, r *run) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	d.runs[ctx] = r
	return true
}

func (d *desk) end(ctx context.Context, r *run) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.runs, ctx)
	close(r.done)
	if len(d.runs) == 0 && d.idle != nil {
		close(d.idle)
		d.idle = nil
	}
}

// ended is Asynq's error handler. Asynq calls it when a handler has returned an
// error, which needs nothing more, and when it gives a run up: with
// context.Canceled after asynqmon's cancel button, with ErrLeaseExpired when it
// could not reach Redis for half a minute. Staying here until the handler has
// returned keeps the slot taken: a server never runs more handlers than it may.
func (d *desk) ended(ctx context.Context, _ *asynq.Task, err error) {
	var a *answer
	if errors.As(err, &a) {
		return
	}
	d.mu.Lock()
	r := d.runs[ctx]
	d.mu.Unlock()
	if r == nil {
		return
	}
	cancelled := errors.Is(err, context.Canceled)
	if cancelled {
		r.cancel(tasks.ErrCancelled)
	}
	select {
	case <-r.done:
		d.settle(ctx, r.err, cancelled)
	case <-d.abandon:
	}
}

// settle does with a late answer what Asynq will not: it forgets the task, or
// keeps the delay for the retry that Asynq is about to write. After a lost
// lease it writes none; whoever finds the lease expired hands the task out.
func (d *desk) settle(ctx context.Context, err error, cancelled bool) {
	queue, _ := asynq.GetQueueName(ctx)
	id, _ := asynq.GetTaskID(ctx)
	if err != nil && !errors.Is(err, tasks.ErrStale) {
		if cancelled {
			d.mu.Lock()
			d.delays[id] = delayOf(err)
			d.mu.Unlock()
		}
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), forgetTimeout)
	defer cancel()
	if err := d.broker.Remove(ctx, queue, id); err != nil {
		d.log.Warn("a task that is done will be handed out once more", "job", id, "error", err)
	}
}

// delay is Asynq's RetryDelayFunc.
func (d *desk) delay(_ int, err error, t *asynq.Task) time.Duration {
	if errors.Is(err, context.Canceled) {
		if o, err := tasks.DecodeOrder(t.Payload()); err == nil {
			d.mu.Lock()
			defer d.mu.Unlock()
			if after, ok := d.delays[o.Job]; ok {
				delete(d.delays, o.Job)
				return after
			}
		}
	}
	return delayOf(err)
}

func (d *desk) running() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.runs)
}

// close waits for the handlers until ctx ends, then tells them to return.
func (d *desk) close(ctx context.Context) {
	d.mu.Lock()
	idle := make(chan struct{})
	if len(d.runs) == 0 {
		close(idle)
	} else {
		d.idle = idle
	}
	d.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
		d.mu.Lock()
		for _, r := range d.runs {
			r.cancel(ErrShutdown)
		}
		d.mu.Unlock()
	}
	close(d.abandon)
}
