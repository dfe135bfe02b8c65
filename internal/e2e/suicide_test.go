package e2e

import (
	"strconv"
	"testing"
	"time"
)

// A run that takes its runtime with it each time must not do so for ever, nor
// hold up the work of others.
func TestRunThatKillsItsRuntimeIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("serve")
	w.agents("others", 2, "validator:validator", "integrator:integrator")
	w.write("do-validator-PRP-2", "hold")
	w.write("do-developer-PRP-1", `kill -9 "$(cat "$STATE/victim")"; exec sleep 5`)
	launch := func() *process {
		p := w.agents("crash", 1, "dev-1:developer")
		w.write("victim", strconv.Itoa(p.cmd.Process.Pid))
		return p
	}
	p := launch()
	w.submit("PRP-2")
	w.eventually(soon, "PRP-2 is being validated", func() bool { return w.runsOf("PRP-2", "validator") > 0 })
	w.submit("PRP-1")
	end := time.Now().Add(2 * time.Minute)
	for w.state("PRP-1") != "failed" {
		if time.Now().After(end) {
			t.Fatalf("PRP-1 kills its runtime each time; after %d runs it is %s", w.runsOf("PRP-1"), w.state("PRP-1"))
		}
		if !p.running() {
			p = launch()
		}
	}
	if n := w.runsOf("PRP-1"); n < 2 || n > 5 {
		t.Errorf("PRP-1 was given up after %d lost runs, want 2 to 5", n)
	}
	if h := w.history("PRP-1"); h.only("fail").Reason == "" {
		t.Error("PRP-1 was given up, and the history does not say why")
	}
	w.write("go-PRP-2", "")
	w.reaches("PRP-2", "complete")
	w.ran("PRP-2", 3)
}
