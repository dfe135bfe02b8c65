package agents

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Why a run is stopped before its end; the cause of its context.
var (
	errStale = errors.New("the run is no longer current")
	errDrain = errors.New("the process is ending")
)

// running is a run that this process has in hand.
type running struct {
	tasks.Run
	agent   *agent
	claimed bool // under the runtime's lock
	stop    chan error
	done    chan struct{}
	err     error // valid once done is closed
}

func newRunning(a *agent, run tasks.Run) *running {
	return &running{Run: run, agent: a, stop: make(chan error, 1), done: make(chan struct{})}
}

func newRunID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// halt asks the run to stop; the first cause counts.
func (run *running) halt(cause error) {
	select {
	case run.stop <- cause:
	default:
	}
}

// wait gives the run's verdict. When ctx ends before, the run goes on alone,
// unless a person cancelled it: then it is stopped, and its failure counts.
func (run *running) wait(ctx context.Context) error {
	select {
	case <-run.done:
		return run.err
	case <-ctx.Done():
	}
	if !errors.Is(context.Cause(ctx), tasks.ErrCancelled) {
		return ctx.Err()
	}
	run.halt(tasks.ErrCancelled)
	<-run.done
	return run.err
}

func (run *running) end(err error) {
	run.err = err
	close(run.done)
}

// carry takes a run from the claim to the verdict.
func (r *Runtime) carry(ctx context.Context, run *running) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case cause := <-run.stop:
			cancel(cause)
		case <-ctx.Done():
		}
	}()
	r.close(run, r.run(ctx, run))
}

func (r *Runtime) run(ctx context.Context, run *running) error {
	assignment, err := r.claim(ctx, run)
	switch {
	case errors.Is(err, errDrain):
		// The claim may have been heard or not: the task stays for the next one,
		// who is told what holds.
		_ = r.handBack(ctx, run, drained)
		return tasks.RetryAfter(time.Second, errDraining)
	case err != nil:
		return err
	}
	dir, err := r.state.open(run.Run)
	if err != nil {
		r.sicken(ctx, run.agent, "no folder for its runs: "+err.Error(), false)
		return r.handBack(ctx, run, "is unwell: no folder for its runs")
	}
	log := &Log{}
	watch := r.watchLog(ctx, run, log)
	mail := r.hold(ctx, run)
	result := r.work(ctx, run, Task{Assignment: assignment, Run: run.Run, Agent: run.agent.spec, Dir: dir.path, Log: log, Messages: mail.Messages(), Stopping: r.draining})
	result = r.diagnose(ctx, run, result)
	if reported(result) {
		logLong(log, result)
		watch.finish()
		err := r.deliver(ctx, run, dir, result)
		r.heard(run, result, err)
		r.settleMail(ctx, run, mail, finished(result) && (err == nil || final(err)))
		watch.again()
		return err
	}
	r.settleMail(ctx, run, mail, false)
	watch.finish()
	dir.remove()
	switch {
	case result.Unwell != "":
		return r.handBack(ctx, run, "is unwell: "+result.Unwell)
	case errors.Is(context.Cause(ctx), errDrain), ctx.Err() == nil && isClosed(r.draining):
		return r.handBack(ctx, run, drained)
	}
	r.log.Info("run stopped: it is no longer current", "prp", run.PRP, "run", run.ID, "agent", run.Agent)
	return tasks.ErrStale
}

// longText is what records and lists keep of a reason, a question or notes, in bytes.
const longText = 4 << 10

// logLong puts what will be cut elsewhere into the log of the run, whole.
func logLong(log *Log, result tasks.Result) {
	say := func(what, text string) {
		if len(text) > longText {
			log.Printf("prpflow: the %s of the result, whole:\n%s", what, text)
		}
	}
	for _, reason := range result.Reasons {
		say("reason", reason)
	}
	say("question", result.Question)
	say("notes", result.Notes)
}

// reported tells a result from the silence of a run that was interrupted.
func reported(result tasks.Result) bool { return result.Outcome != "" }

// claim asks for the job until the store answers. The run's id stays the same,
// so that an answer which was lost is given again.
func (r *Runtime) claim(ctx context.Context, run *running) (tasks.Assignment, error) {
	var wait backoff
	for {
		c := tasks.Claim{Run: run.Run}
		for _, other := range r.inHand(false) {
			c.InHand = append(c.InHand, other.ID)
		}
		a, err := r.cfg.Engine.Claim(ctx, c)
		if err == nil {
			r.mu.Lock()
			run.claimed = true
			r.mu.Unlock()
			return a, nil
		}
		if final(err) {
			return a, err
		}
		r.log.Warn("claim not answered, asking again", "prp", run.PRP, "agent", run.Agent, "err", err)
		if !wait.wait(ctx) {
			return a, context.Cause(ctx)
		}
	}
}

// final tells an answer of the engine from its silence.
func final(err error) bool {
	var permanent *tasks.PermanentError
	var later *tasks.RetryAfterError
	return errors.Is(err, tasks.ErrStale) || errors.As(err, &permanent) || errors.As(err, &later)
}

// work runs the handler, and makes of what it answers a result that can be
// delivered, or none where the run was interrupted.
func (r *Runtime) work(ctx context.Context, run *running, t Task) tasks.Result {
	stop := ctx
	limit := run.agent.spec.timeout(t.Job)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, ErrTimeout)
	defer cancel()
	result := guard(ctx, run.agent.handler, t)
	switch {
	case errors.Is(context.Cause(stop), tasks.ErrCancelled) && !finished(result):
		return failed("the run was cancelled by a person")
	case stop.Err() != nil && !finished(result):
		return tasks.Result{}
	case result.Unwell != "", !reported(result) && ctx.Err() == nil && isClosed(r.draining):
		return result
	case !reported(result) && ctx.Err() != nil:
		return failed(fmt.Sprintf("the run took longer than its timeout of %s", limit))
	case !reported(result):
		return failed("the agent ended without a result")
	}
	if err := check(result); err != nil {
		return failed(err.Error())
	}
	if result.Outcome == tasks.Limited {
		if result.RetryAfter == 0 {
			result.RetryAfter = tasks.Duration(time.Minute)
		}
		run.agent.park(time.Duration(result.RetryAfter))
	}
	return result
}

// diagnose draws what follows from a result for the agent: whether it can work at
// all. Of a result that is its fault and not the work's, the reason is left.
func (r *Runtime) diagnose(ctx context.Context, run *running, result tasks.Result) tasks.Result {
	a := run.agent
	byRun := false
	switch {
	case result.Unwell != "":
	case result.Silent && a.health.wasMute():
		a.health.quiet(run.PRP, true)
		result, byRun = tasks.Result{Unwell: "two runs in a row ended with exit code 0 and without a result"}, true
	case finished(result):
		if !result.Silent {
			r.worked(a)
		}
		return result
	case result.Outcome != tasks.Failed:
		return result
	default:
		trial := a.health.now().trial
		reason := r.blame(ctx, a, result)
		if reason == "" {
			return result
		}
		if trial { // it costs the PRP nothing
			result = tasks.Result{Unwell: reason}
		}
		r.sicken(ctx, a, reason, true)
		return result
	}
	r.sicken(ctx, a, result.Unwell, byRun)
	return result
}

func (r *Runtime) worked(a *agent) {
	if a.health.worked() {
		r.log.Info("the agent is well again", "agent", a.spec.Name)
	}
}

// heard draws what follows from the answer to a result that said nothing: where the
// lifecycle asks for nothing, it was enough.
func (r *Runtime) heard(run *running, result tasks.Result, answer error) {
	switch {
	case !result.Silent:
		run.agent.health.quiet(run.PRP, false)
	case asked(answer):
		run.agent.health.quiet(run.PRP, true)
	case answer == nil:
		r.worked(run.agent)
	}
}

// asked says whether the task of a delivered result is handed out again.
func asked(err error) bool {
	var later *tasks.RetryAfterError
	return errors.As(err, &later)
}

// finished tells work that came to its end from what a handler says because it
// was interrupted.
func finished(result tasks.Result) bool {
	return result.Outcome == tasks.Done || result.Outcome == tasks.Rejected || result.Outcome == tasks.Question
}

// check holds any handler to the rules of the result file.
func check(result tasks.Result) error {
	if err := result.Validate(); err != nil {
		return err
	}
	b, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("result is no JSON: %w", err)
	}
	if len(b) > tasks.MaxResult {
		return fmt.Errorf("result has %d bytes, at most %d are allowed", len(b), tasks.MaxResult)
	}
	return nil
}

// guard makes a panic of a handler a failed result.
func guard(ctx context.Context, h Handler, t Task) (result tasks.Result) {
	defer func() {
		if p := recover(); p != nil {
			t.Log.Printf("panic: %v\n%s", p, debug.Stack())
			result = failed(fmt.Sprintf("the agent panicked: %v", p))
		}
	}()
	return h.Run(ctx, t)
}
