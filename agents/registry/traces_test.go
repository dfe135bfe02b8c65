package registry_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// reader is what a process is looked up in.
type reader interface {
	Processes(ctx context.Context) ([]tasks.Process, time.Time, error)
}

// known is what a registry shows of a process, nothing where it shows none.
func known(t *testing.T, r reader, incarnation string) tasks.Process {
	t.Helper()
	all, _, err := r.Processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.Incarnation == incarnation {
			return p
		}
	}
	return tasks.Process{}
}

func TestForgottenProcessLeavesNoTraceButItsAgents(t *testing.T) {
	b := setup(t)
	b.register(remote("far:7:a", "dev-1"))
	b.register(remote("far:8:b", "dev-2"))
	if err := b.Leave(t.Context(), "far:7:a"); err != nil {
		t.Fatal(err)
	}
	if err := b.Forget(t.Context(), known(t, b, "far:7:a")); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.rdb.Dump()) {
		if strings.Contains(line, "far:7:a") && !strings.Contains(line, `"name":"dev-1"`) {
			t.Errorf("still there: %s", line)
		}
	}
}

func TestWhoBeatsAfterTheGoodByeIsBack(t *testing.T) {
	b := setup(t)
	p := remote("far:7:a", "dev-1")
	b.register(p)
	if err := b.Leave(t.Context(), p.Incarnation); err != nil {
		t.Fatal(err)
	}
	b.register(p)
	list, _, err := b.Processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].Left {
		t.Errorf("processes: %+v", list)
	}
}

func TestWhoBeatsAfterItWasReadIsNotForgotten(t *testing.T) {
	b := setup(t)
	p := remote("far:7:a", "dev-1")
	b.register(p)
	seen := known(t, b, p.Incarnation)
	b.register(p)
	for _, want := range []bool{true, false} {
		if err := b.Forget(t.Context(), seen); err != nil {
			t.Fatal(err)
		}
		if there := known(t, b, p.Incarnation).Incarnation != ""; there != want {
			t.Errorf("it is there: %v, want %v", there, want)
		}
		seen = known(t, b, p.Incarnation)
	}
}
