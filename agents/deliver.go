package agents

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// lastWords bounds what is still said to the engine once the process must end.
const lastWords = 5 * time.Second

// deliver saves a result, then offers it until the store answers. The end of
// the run's context does not end it: work that is done counts. Only the end of
// the process leaves the result on disk, for the next start to offer.
func (r *Runtime) deliver(ctx context.Context, run *running, dir *runDir, result tasks.Result) error {
	d := tasks.Delivery{Run: run.Run, Result: result}
	if e := run.agent.spec.Exec; e != nil {
		d.Retries, d.RetryDelay = e.Retries, e.RetryDelay
	}
	if dir != nil {
		if err := dir.save(d); err != nil {
			r.log.Error("result not saved on disk, delivering it all the same", "prp", run.PRP, "run", run.ID, "err", err)
		}
	}
	ctx, cancel := r.untilStopped(context.WithoutCancel(ctx))
	defer cancel()
	verdict, err := r.offer(ctx, d)
	if err != nil && !final(err) {
		r.log.Warn("result kept on disk, it is delivered at the next start", "prp", run.PRP, "run", run.ID, "err", err)
		return tasks.RetryAfter(time.Second, err)
	}
	if dir != nil {
		dir.remove()
	}
	if err != nil {
		return err
	}
	return judge(result, verdict)
}

// offer repeats a delivery until the store answers or ctx ends.
func (r *Runtime) offer(ctx context.Context, d tasks.Delivery) (tasks.Verdict, error) {
	var wait backoff
	for {
		verdict, err := r.cfg.Engine.Deliver(ctx, d)
		if err == nil || final(err) {
			return verdict, err
		}
		r.log.Warn("result not taken, offering it again", "prp", d.PRP, "agent", d.Agent, "err", err)
		if !wait.wait(ctx) {
			return verdict, err
		}
	}
}

// judge says to the broker what the engine's verdict means for the task.
func judge(result tasks.Result, v tasks.Verdict) error {
	reason := errors.New(v.Reason)
	if v.Reason == "" {
		reason = fmt.Errorf("the run ended with the outcome %s", result.Outcome)
	}
	switch {
	case v.Failed:
		return tasks.Permanent(reason)
	case v.After > 0 && result.Outcome == tasks.Limited:
		return tasks.RetryAfter(max(v.After-earlyBy, time.Millisecond), reason)
	case v.After > 0:
		return tasks.RetryAfter(v.After, reason)
	}
	return nil
}

// drained is the reason of what a process hands back that ends.
const drained = "was drained"

// handBack returns an interrupted run; the broker may forget its task, the
// engine publishes the job again.
func (r *Runtime) handBack(ctx context.Context, run *running, reason string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	var wait backoff
	for {
		err := r.cfg.Engine.HandBack(ctx, run.Run, reason)
		if err == nil || errors.Is(err, tasks.ErrStale) {
			return tasks.ErrStale
		}
		if final(err) || !wait.wait(ctx) {
			r.log.Warn("run not handed back, the sweep will find it", "prp", run.PRP, "run", run.ID, "err", err)
			return tasks.RetryAfter(time.Second, err)
		}
	}
}

// untilStopped ends a context a little after the process must end.
func (r *Runtime) untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-ctx.Done():
			return
		case <-r.stopped:
		}
		t := time.NewTimer(lastWords / 2)
		defer t.Stop()
		select {
		case <-ctx.Done():
		case <-t.C:
			cancel()
		}
	}()
	return ctx, cancel
}
