package agents

import (
	"context"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Builtins are the agents that need no command: for demos and tests.
//   - approve answers done, with all the evidence that a stage may ask for;
//   - reject-once rejects the first attempt at a PRP, then approves;
//   - sleep takes its time (a minute, or Delay), then approves;
//   - fail fails.
var Builtins = []string{"approve", "reject-once", "sleep", "fail"}

func isBuiltin(name string) bool { return slices.Contains(Builtins, name) }

// builtin is a built-in agent.
type builtin struct {
	name  string
	delay time.Duration
}

func newBuiltin(s Spec) builtin {
	b := builtin{s.Builtin, s.Delay}
	if b.name == "sleep" && b.delay == 0 {
		b.delay = time.Minute
	}
	return b
}

// Run waits for the delay and answers as the builtin's name says.
func (b builtin) Run(ctx context.Context, t Task) tasks.Result {
	t.Log.Printf("%s: %s of %s, attempt %d", b.name, t.Job.Type, t.Job.PRP, t.Attempt)
	wait := time.NewTimer(b.delay)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return tasks.Result{}
	case <-wait.C:
	}
	switch {
	case b.name == "fail":
		return failed("the builtin agent fail always fails")
	case b.name == "reject-once" && t.Attempt <= 1:
		return tasks.Result{Outcome: tasks.Rejected, Reasons: []string{"the builtin agent reject-once rejects the first attempt"}}
	}
	return tasks.Result{Outcome: tasks.Done, Evidence: evidence()}
}

// evidence is what the stages of the default lifecycle ask for, all of it: an
// item that a stage does not ask for harms nobody.
func evidence() map[string]any {
	return map[string]any{"tests_passed": true, "lint_clean": true, "coverage_pct": 100, "approved": true, "merged": true}
}

// failed is a result that says why.
func failed(reason string) tasks.Result {
	return tasks.Result{Outcome: tasks.Failed, Reasons: []string{reason}}
}
