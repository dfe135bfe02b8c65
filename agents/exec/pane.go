package exec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
)

const (
	// paneLook is how often the result file of a pane is looked for.
	paneLook = 250 * time.Millisecond
	// paneWrites is how long a result file that cannot be read may still be being
	// written.
	paneWrites = 5 * time.Second
	// paneAgain is when a task is tried again whose pane cannot be typed into.
	paneAgain = 30 * time.Second
)

// pane is an agent that is a program in a tmux pane. It is told of a task by one line
// that names files, once; what it has done is known by the result file alone, whose
// name no other run has.
type pane struct {
	spec agents.Tmux
	ring func(ctx context.Context, pane agents.Tmux, line string) error
}

// Run is agents.Handler.
func (p *pane) Run(ctx context.Context, t agents.Task) tasks.Result {
	result := filepath.Join(t.Dir, resultName)
	file, err := writeTask(t, result)
	if err != nil {
		return failed("the task file cannot be written: %v", err)
	}
	line := fmt.Sprintf("[prpflow] Your task %s for %s: read %s and do what it says, then write your verdict to %s",
		file.Type, file.PRP.ID, filepath.Join(t.Dir, taskName), result)
	if err := p.ring(ctx, p.spec, line); err != nil {
		t.Log.Printf("prpflow: %v", err)
		return tasks.Result{Outcome: tasks.Retry, Reasons: []string{err.Error()}, RetryAfter: tasks.Duration(paneAgain)}
	}
	return awaitResult(ctx, result)
}

// awaitResult waits for a result file that can be read.
func awaitResult(ctx context.Context, path string) tasks.Result {
	tick := time.NewTicker(paneLook)
	defer tick.Stop()
	var broken time.Time // since when it cannot be read
	for {
		select {
		case <-ctx.Done():
			return tasks.Result{}
		case <-tick.C:
		}
		result, err := readResult(path)
		switch {
		case err == nil:
			return result
		case errors.Is(err, os.ErrNotExist):
			broken = time.Time{}
		case broken.IsZero():
			broken = time.Now()
		case time.Since(broken) > paneWrites:
			return failed("%v", err)
		}
	}
}
