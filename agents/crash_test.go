package agents_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/prpflow/prpflow/agents"
	adapter "github.com/prpflow/prpflow/agents/exec"
	"github.com/prpflow/prpflow/tasks"
)

// victim is the variable by which the test binary becomes a runtime that is to
// be killed; its value is the folder that it works in.
const victim = "AGENTS_TEST_VICTIM"

func TestMain(m *testing.M) {
	if dir := os.Getenv(victim); dir != "" {
		runVictim(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// runVictim runs an agent with deaf children for ever: one in the agent's
// group, one that has left it.
func runVictim(dir string) {
	r, err := agents.NewRuntime(agents.Config{
		Engine: &engine{stale: map[string]bool{}, logs: map[string]string{}}, Adapter: adapter.Adapter{},
		StateDir: filepath.Join(dir, "state"), StoreID: "store", Process: tasks.Process{Incarnation: "host:1:victim"},
		Specs: []agents.Spec{{Name: "dev-1", Role: "developer", Exec: &agents.Exec{
			Command: []string{"/bin/sh", "-c", `trap '' TERM; echo $$ >"$D/leader"
				sh -c 'trap "" TERM HUP; echo $$ >"$D/child"; while :; do sleep 60; done' &
				setsid sh -c 'trap "" TERM HUP; echo $$ >"$D/escaped"; while :; do sleep 60; done' & wait`},
			Env: map[string]string{"D": dir},
		}}},
	})
	if err == nil {
		err = r.Handle("dev-1")(context.Background(), order("PRP-1"))
	}
	os.Stderr.WriteString(err.Error())
}

func TestKilledRuntimeLeavesNoAgent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), victim+"="+dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"leader", "child", "escaped"} {
		eventually(t, name, written(in(name)))
	}
	began := time.Now()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	for _, name := range []string{"leader", "child"} {
		eventually(t, "the end of "+name, func() bool { return !alive(in(name)) })
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("the agents outlived their runtime by %s", took)
	}
	h := open(t, func(c *agents.Config) {
		with(done)(c)
		c.StateDir = in("state")
	})
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
