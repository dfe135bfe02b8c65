package exec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
)

// signalWait is how long an agent that ended by a signal waits for the news that its
// runtime is ending too: a service manager signals both at once.
const signalWait = time.Second

// noResult tells why there is no evidence: a lifecycle that asks for some
// refuses the result, and its author must learn what to write.
const noResult = "the agent ended with exit code 0 and wrote no result file (" + resultVariable + ")"

// cut says why a command was ended before it ended by itself.
type cut int

const (
	notCut cut = iota
	unwanted
	overtime
	silent
	over // its result is complete, and its grace has passed
)

// Run starts the command, waits for its end, or ends it, and reads its verdict.
func (c *command) Run(ctx context.Context, t agents.Task) tasks.Result {
	if ctx.Err() != nil {
		return tasks.Result{}
	}
	plan, err := c.prepare(t)
	if err != nil {
		return unwell("a run cannot be prepared: %v", err)
	}
	p, err := start(plan, t.Log)
	switch {
	case errors.Is(err, syscall.E2BIG): // of the prompt: another PRP may well fit
		return failed("%s could not be started: %v", plan.argv[0], err)
	case err != nil:
		return unwell("%v", cannotStart(plan, err))
	}
	why := c.await(ctx, p, plan.result)
	p.end()
	if why == unwanted {
		return tasks.Result{}
	}
	result := c.verdict(plan, p, why)
	if result.Outcome == tasks.Failed && why == notCut && p.ended(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT) && stopping(t.Stopping) {
		return tasks.Result{} // it was not the work that ended it
	}
	return result
}

// stopping says whether the runtime is ending, or does within a moment.
func stopping(news <-chan struct{}) bool {
	wait := time.NewTimer(signalWait)
	defer wait.Stop()
	select {
	case <-news:
		return true
	case <-wait.C:
		return false
	}
}

// resultLook is how often the result file is looked at while the command runs.
const resultLook = 200 * time.Millisecond

// await returns when the command has ended or must end.
func (c *command) await(ctx context.Context, p *process, result string) cut {
	idle := time.NewTimer(c.idle)
	defer idle.Stop()
	look := time.NewTicker(resultLook)
	defer look.Stop()
	done := written{path: result}
	for {
		select {
		case <-p.exited:
			return notCut
		default:
		}
		select {
		case <-p.exited:
			return notCut
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), agents.ErrTimeout) {
				return overtime
			}
			return unwanted
		case now := <-look.C:
			if done.since(now, c.grace) {
				return over
			}
		case <-idle.C:
			left := c.idle - time.Since(p.spoke())
			if left <= 0 {
				return silent
			}
			idle.Reset(left)
		}
	}
}

// verdict reads the result file; where there is none the exit code counts. A
// result that was written counts also when the command hung afterwards: the
// work is done, and its process is gone.
func (c *command) verdict(plan plan, p *process, why cut) tasks.Result {
	result, err := readResult(plan.result)
	switch {
	case err == nil:
		return result
	case why == overtime:
		return failed("the command took longer than its timeout; it was ended after %s", time.Since(p.began).Round(time.Second))
	case why == silent:
		return failed("the command said nothing for %s and was ended", c.idle)
	case !errors.Is(err, os.ErrNotExist):
		return failed("%v", err)
	}
	state := p.cmd.ProcessState
	switch code := state.ExitCode(); code {
	case 0:
		return tasks.Result{Outcome: tasks.Done, Notes: noResult, Silent: true}
	case 75: // EX_TEMPFAIL
		return tasks.Result{Outcome: tasks.Retry, Reasons: []string{"the command exited with 75: not now"}}
	default:
		r := failed("the command ended with %s", state)
		if said := p.lastWords(); said != "" {
			r.Reasons = append(r.Reasons, said)
		}
		return r
	}
}

// unwell is a run that could not be started, for a reason that is not the work's.
func unwell(format string, args ...any) tasks.Result {
	return tasks.Result{Unwell: fmt.Sprintf(format, args...)}
}

func failed(format string, args ...any) tasks.Result {
	return tasks.Result{Outcome: tasks.Failed, Reasons: []string{fmt.Sprintf(format, args...)}}
}
