package agents_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/prpflow/prpflow/agents"
	adapter "github.com/prpflow/prpflow/agents/exec"
	"github.com/prpflow/prpflow/internal/mortal"
	"github.com/prpflow/prpflow/tasks"
)

// Variables by which the test binary becomes a runtime that is to be killed:
// the folder that it works in, and the script that is its agent.
const (
	victim       = "AGENTS_TEST_VICTIM"
	victimScript = "AGENTS_TEST_SCRIPT"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(victim); dir != "" {
		runVictim(dir, os.Getenv(victimScript))
		return
	}
	goleak.VerifyTestMain(mortal.M{M: m}, goleak.IgnoreCurrent())
}

// deaf is an engine that never takes a result.
type deaf struct{ *engine }

func (deaf) Deliver(context.Context, tasks.Delivery) (tasks.Verdict, error) {
	return tasks.Verdict{}, errAway
}

// runVictim runs an agent, and offers its result for ever.
func runVictim(dir, script string) {
	r, err := agents.NewRuntime(agents.Config{
		Engine: deaf{&engine{stale: map[string]bool{}, logs: map[string]string{}}}, Adapter: adapter.Adapter{},
		StateDir: filepath.Join(dir, "state"), StoreID: "store", Process: tasks.Process{Incarnation: "host:1:victim"},
		Specs: []agents.Spec{{Name: "dev-1", Role: "developer", Exec: &agents.Exec{
			Command: []string{"/bin/sh", "-c", script}, Env: map[string]string{"D": dir},
		}}},
	})
	if err == nil {
		err = r.Handle("dev-1")(context.Background(), order("PRP-1"))
	}
	os.Stderr.WriteString(err.Error())
}

// startVictim starts a runtime whose agent is a script; kill ends it by force.
func startVictim(t *testing.T, dir, script string) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victim+"="+dir, victimScript+"="+script)
	cmd.Stderr = os.Stderr
	if err := mortal.Start(cmd); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	t.Cleanup(kill)
	return kill
}

// heir is a runtime that starts where another one has died.
func heir(t *testing.T, dir string) *house {
	t.Helper()
	return open(t, func(c *agents.Config) {
		with(done)(c)
		c.StateDir = filepath.Join(dir, "state")
	})
}

// The agent has deaf children: one in its group, one that has left it.
func TestKilledRuntimeLeavesNoAgent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kill := startVictim(t, dir, `trap '' TERM; echo $$ >"$D/leader"
		sh -c 'trap "" TERM HUP; echo $$ >"$D/child"; while :; do sleep 60; done' &
		setsid sh -c 'trap "" TERM HUP; echo $$ >"$D/escaped"; while :; do sleep 60; done' & wait`)
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"leader", "child", "escaped"} {
		eventually(t, name, written(in(name)))
	}
	began := time.Now()
	kill()
	for _, name := range []string{"leader", "child"} {
		eventually(t, "the end of "+name, func() bool { return !alive(in(name)) })
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the agents outlived their runtime by %s", took)
	}
	h := heir(t, dir)
	if err := h.OfferLeftovers(t.Context()); err != nil {
		t.Fatal(err)
	}
	dead(t, in("escaped"))
	if left, _ := filepath.Glob(in("state/store/*victim")); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
	if len(h.engine.delivered) != 0 {
		t.Errorf("a run without result was delivered: %+v", h.engine.delivered)
	}
}

func TestKilledBetweenSaveAndDeliverLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kill := startVictim(t, dir, `echo '{"outcome":"rejected","reasons":["no tests"],"evidence":{"n":[1]}}' >"$PRPFLOW_RESULT_FILE"`)
	saved := func() []string {
		found, err := filepath.Glob(filepath.Join(dir, "state/store/*victim/*/delivery.json"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	eventually(t, "the result on disk", func() bool { return len(saved()) == 1 })
	h := heir(t, dir)
	if err := h.OfferLeftovers(t.Context()); err != nil || len(h.engine.delivered) != 0 {
		t.Errorf("a living runtime's result was taken: %v", err)
	}
	kill()
	for range 2 {
		if err := h.OfferLeftovers(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.engine.delivered) != 1 || len(saved()) != 0 {
		t.Fatalf("delivered %+v, left %v", h.engine.delivered, saved())
	}
	d := h.engine.delivered[0]
	if d.Job != "PRP-1:1:x" || d.Incarnation != "host:1:victim" || d.ID == "" || d.Result.Outcome != tasks.Rejected || !slices.Equal(d.Result.Reasons, []string{"no tests"}) {
		t.Errorf("delivered %+v", d)
	}
}
