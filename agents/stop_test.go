package agents_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
)

func TestLimitParksTheAgent(t *testing.T) {
	t.Parallel()
	runs := make(chan string, 2)
	h := open(t, with(func(_ context.Context, task agents.Task) tasks.Result {
		runs <- task.Job.PRP
		return tasks.Result{Outcome: tasks.Limited, RetryAfter: tasks.Duration(time.Hour)}
	}))
	h.engine.verdict = tasks.Verdict{After: time.Hour}
	<-h.begin(t.Context(), "PRP-1")
	var later *tasks.RetryAfterError
	if err := <-h.begin(t.Context(), "PRP-2"); !errors.As(err, &later) || later.After < 59*time.Minute {
		t.Errorf("got %v", err)
	}
	if len(runs) != 1 {
		t.Error("a limited agent runs")
	}
}

func TestStaleRunIsKilledAtTheNudge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, func(c *agents.Config) {
		script(dir, `trap '' TERM; echo $$ >"$D/pid"; while :; do sleep 60; done`)(c)
		c.Beat = time.Hour
	})
	h.beat()
	end := h.begin(t.Context(), "PRP-1")
	eventually(t, "the agent", written(filepath.Join(dir, "pid")))
	h.engine.do(func() { h.engine.stale["PRP-1"] = true })
	began := time.Now()
	h.Nudge("PRP-0") // another's news changes nothing
	h.Nudge("PRP-1")
	if err := <-end; !errors.Is(err, tasks.ErrStale) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the stop took %s", took)
	}
	dead(t, filepath.Join(dir, "pid"))
	if len(h.engine.delivered) != 0 {
		t.Errorf("delivered %+v", h.engine.delivered)
	}
}

func TestStaleRunIsStoppedByTheHeartbeat(t *testing.T) {
	t.Parallel()
	started := make(chan struct{})
	h := open(t, with(func(ctx context.Context, _ agents.Task) tasks.Result {
		close(started)
		<-ctx.Done()
		return tasks.Result{Outcome: tasks.Failed, Reasons: []string{ctx.Err().Error()}}
	}))
	h.beat()
	end := h.begin(t.Context(), "PRP-1")
	<-started
	h.engine.do(func() { h.engine.away = true })
	<-h.engine.tried // Redis is away: nobody is judged
	h.engine.do(func() { h.engine.away, h.engine.stale["PRP-1"] = false, true })
	if err := <-end; !errors.Is(err, tasks.ErrStale) {
		t.Errorf("got %v", err)
	}
}

func TestRunThatAPersonCancelsIsAFailure(t *testing.T) {
	t.Parallel()
	started := make(chan struct{})
	h := open(t, with(func(ctx context.Context, _ agents.Task) tasks.Result {
		close(started)
		<-ctx.Done()
		return tasks.Result{}
	}))
	h.engine.verdict = tasks.Verdict{After: time.Minute}
	ctx, cancel := context.WithCancelCause(t.Context())
	end := h.begin(ctx, "PRP-1")
	<-started
	cancel(tasks.ErrCancelled)
	var later *tasks.RetryAfterError
	if err := <-end; !errors.As(err, &later) {
		t.Errorf("got %v", err)
	}
	if r := h.engine.delivered[0].Result; r.Outcome != tasks.Failed || !strings.Contains(r.Reasons[0], "cancelled by a person") {
		t.Errorf("delivered %+v", r)
	}
}
