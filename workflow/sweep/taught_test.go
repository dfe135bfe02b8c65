package sweep

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// What the simulation has taught, as rules of their own.

func TestJobThatComesBackIsNotMovedTwiceInATurn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	if got := unseen([]string{"PRP-1:1:a", "PRP-2:1:b", "PRP-1:2:c", "of another program"}, seen); !slices.Equal(got, []string{"PRP-1:1:a", "PRP-2:1:b", "PRP-1:2:c"}) {
		t.Errorf("the first page: %v", got)
	}
	if got := unseen([]string{"PRP-1:3:d", "PRP-3:1:e"}, seen); !slices.Equal(got, []string{"PRP-3:1:e"}) {
		t.Errorf("the second page: %v", got)
	}
}

func TestSilentProcessIsNoPlaceForWork(t *testing.T) {
	t.Parallel()
	now := time.Now()
	of := func(name string, seen time.Time) tasks.Process {
		return tasks.Process{Incarnation: name, Seen: seen, Agents: []tasks.Agent{{Name: name, Role: "developer"}}}
	}
	processes := []tasks.Process{of("fresh", now), of("silent", now.Add(-tasks.DefaultGoneAfter))}
	p := newPlan(nil, newView(processes, nil, now)) // not judged yet, after a blindness
	if len(p.places) != 1 || p.places[0].Name != "fresh" {
		t.Errorf("places: %+v", p.places)
	}
	if !p.live["silent"] {
		t.Error("the queues of a process that is not judged are an orphan's")
	}
}

func TestJobMayMoveOnceItsPauseHasPassed(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p := plan{now: now}
	for _, c := range []struct {
		says  string
		retry *workflow.Retry
		moves bool
	}{
		{"never run", nil, true},
		{"waits for its next run", &workflow.Retry{At: now.Add(time.Second)}, false},
		{"parked by a limit of its agent", &workflow.Retry{At: now.Add(time.Hour), Parked: true}, true},
		{"its time has come", &workflow.Retry{At: now.Add(-time.Second)}, true},
	} {
		r := workflow.Record{Stage: workflow.Stage{Work: &workflow.Work{Retry: c.retry}}}
		if got := p.mayMove(r); got != c.moves {
			t.Errorf("%s: may move %v", c.says, got)
		}
	}
}

func TestSweeperThatStoodStillDoesNotActOnWhatItSaw(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := &Sweeper{cfg: Config{Clock: func() time.Time { return now }}, view: view{leads: true, at: now}}
	acted := 0
	duty := s.leading(func(context.Context, view) error { acted++; return nil })
	for _, after := range []time.Duration{0, leadFor, time.Millisecond} {
		now = now.Add(after)
		if err := duty(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if acted != 2 {
		t.Errorf("it acted %d times, twice while it led", acted)
	}
}
