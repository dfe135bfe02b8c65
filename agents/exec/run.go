package exec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
)

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
)

// Run starts the command, waits for its end, or ends it, and reads its verdict.
func (c *command) Run(ctx context.Context, t agents.Task) tasks.Result {
	if ctx.Err() != nil {
		return tasks.Result{}
	}
	plan, err := c.prepare(t)
	if err != nil {
		return failed("the runtime could not prepare the run: %v", err)
	}
	p, err := start(plan, t.Log)
	if err != nil {
		return failed("%s could not be started: %v", plan.argv[0], err)
	}
	why := c.await(ctx, p)
	p.end(why != notCut)
	if why == unwanted {
		return tasks.Result{}
	}
	return c.verdict(t, plan, p, why)
}

// await returns when the command has ended or must end.
func (c *command) await(ctx context.Context, p *process) cut {
	idle := time.NewTimer(c.idle)
	defer idle.Stop()
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
func (c *command) verdict(t agents.Task, plan plan, p *process, why cut) tasks.Result {
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
		return tasks.Result{Outcome: tasks.Done, Notes: noResult}
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

func failed(format string, args ...any) tasks.Result {
	return tasks.Result{Outcome: tasks.Failed, Reasons: []string{fmt.Sprintf(format, args...)}}
}
