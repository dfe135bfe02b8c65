package agents_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/agents/internal/proc"
	"github.com/prpflow/prpflow/tasks"
)

// alive says whether the process whose number is in the file runs.
func alive(file string) bool {
	b, _ := os.ReadFile(file)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return true // nothing is known of it
	}
	p, err := proc.Read(pid)
	return err == nil && p.Alive()
}

// dead fails unless that process is gone.
func dead(t *testing.T, file string) {
	t.Helper()
	if alive(file) {
		t.Errorf("the process of %s still runs", filepath.Base(file))
	}
}

func TestDrainHandsBackWhatDoesNotFinish(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := open(t, func(c *agents.Config) {
		script(dir, `trap '' TERM; echo $$ >"$D/pid"; while :; do sleep 60; done`)(c)
		c.Drain = 50 * time.Millisecond
	})
	end := h.begin(t.Context(), "PRP-1")
	eventually(t, "the agent", written(filepath.Join(dir, "pid")))
	if err := h.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	dead(t, filepath.Join(dir, "pid"))
	if err := <-end; !errors.Is(err, tasks.ErrStale) {
		t.Errorf("the broker is told %v", err)
	}
	if len(h.engine.back) != 1 || h.engine.back[0] != h.engine.claims[0].Run || len(h.engine.delivered) != 0 {
		t.Errorf("handed back %+v, delivered %+v", h.engine.back, h.engine.delivered)
	}
	if _, err := os.Stat(filepath.Join(h.config.StateDir, "store", h.config.Process.Incarnation)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state folder is still there: %v", err)
	}
}

func TestDrainCountsWhatFinishesInTimeAndTakesNothingNew(t *testing.T) {
	t.Parallel()
	started, release := make(chan struct{}), make(chan struct{})
	h := open(t, func(c *agents.Config) {
		with(func(context.Context, agents.Task) tasks.Result {
			close(started)
			<-release
			return tasks.Result{Outcome: tasks.Done}
		})(c)
		c.Drain = time.Minute
	})
	end := h.begin(t.Context(), "PRP-1")
	<-started
	drained := make(chan error, 1)
	go func() { drained <- h.Drain(t.Context()) }()
	var later *tasks.RetryAfterError
	eventually(t, "an order that is refused", func() bool {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		return errors.As(<-h.begin(ctx, "PRP-2"), &later)
	})
	close(release)
	if err := <-end; err != nil {
		t.Error(err)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
	if err := <-h.begin(t.Context(), "PRP-2"); !errors.As(err, &later) {
		t.Errorf("a drained runtime takes an order: %v", err)
	}
	if len(h.engine.delivered) != 1 || len(h.engine.back) != 0 {
		t.Errorf("delivered %+v, handed back %+v", h.engine.delivered, h.engine.back)
	}
}

func TestResultThatCannotBeDeliveredIsOfferedAtTheNextStart(t *testing.T) {
	t.Parallel()
	var h *house
	h = open(t, with(func(context.Context, agents.Task) tasks.Result {
		h.engine.do(func() { h.engine.away = true })
		return tasks.Result{Outcome: tasks.Done, Notes: "kept"}
	}))
	end := h.begin(t.Context(), "PRP-1")
	<-h.engine.tried
	next := h.config
	next.Process.Incarnation = "host:2:next"
	second, err := agents.NewRuntime(next)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Drain(t.Context())
	if err := h.Drain(t.Context()); err != nil { // Redis is still away
		t.Fatal(err)
	}
	if err := <-end; err == nil {
		t.Error("the broker must not count it as done")
	}
	// A process that another test is just starting holds the lock of the folder for a
	// moment: then it is not looked at yet.
	eventually(t, "the result is offered", func() bool { return second.OfferLeftovers(t.Context()) != nil })
	if len(folders(t, next)) != 1 {
		t.Error("the result must stay while nobody takes it")
	}
	h.engine.do(func() { h.engine.away = false })
	eventually(t, "the result is delivered", func() bool {
		return second.OfferLeftovers(t.Context()) == nil && len(folders(t, next)) == 0
	})
	if d := h.engine.delivered; len(d) != 1 || d[0].Result.Notes != "kept" || d[0].Incarnation != h.config.Process.Incarnation {
		t.Errorf("delivered %+v", d)
	}
	if len(folders(t, next)) != 0 {
		t.Error("a delivered result stays on disk")
	}
}

func TestFolderOfALivingProcessAndOfAnotherStoreIsLeftAlone(t *testing.T) {
	t.Parallel()
	var h *house
	h = open(t, with(func(context.Context, agents.Task) tasks.Result {
		h.engine.do(func() { h.engine.away = true })
		return tasks.Result{Outcome: tasks.Done}
	}))
	h.begin(t.Context(), "PRP-1")
	<-h.engine.tried
	for _, store := range []string{"store", "other"} {
		c := h.config
		c.StoreID, c.Process.Incarnation = store, "host:2:next"
		c.Engine = &engine{}
		other, err := agents.NewRuntime(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := other.OfferLeftovers(t.Context()); err != nil {
			t.Error(err)
		}
		if d := c.Engine.(*engine).delivered; len(d) != 0 || len(folders(t, h.config)) != 1 {
			t.Errorf("store %s: delivered %+v", store, d)
		}
		if err := other.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
