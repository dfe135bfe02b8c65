package e2e

import (
	"testing"
	"time"
)

// A late result of a frozen agent comes after somebody else has done the work.
func TestFrozenAgentsLateResultChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("serve")
	w.write("do-developer-PRP-1", `[ "$AGENT" != dev-1 ] || hold`)
	first := w.agents("agents-1", 1, "dev-1:developer")
	w.begins("PRP-1")
	first.signal(stop)
	w.agents("agents-2", 1, "dev-2:developer", "validator:validator", "integrator:integrator")
	w.reaches("PRP-1", "complete")
	w.write("go-PRP-1", "")
	first.signal(cont)
	w.submit("PRP-2") // once it is done, the thawed process has long said its word
	w.reaches("PRP-2", "complete")
	h := w.history("PRP-1")
	h.isExactly(straight...)
	if by := h.only("submit").Actor; by != "dev-2" {
		t.Errorf("PRP-1 was submitted by %s, who had lost it", by)
	}
}

// Ten seconds are the promise, from the kill to the next run.
func TestTaskOfAKilledAgentRunsElsewhereInTenSeconds(t *testing.T) {
	t.Parallel()
	for _, back := range []bool{false, true} {
		name := "its process stays away"
		if back {
			name = "its process is back at once"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.serve("serve")
			w.write("do-developer-PRP-1", `[ -e "$STATE/quick" ] || { : >"$STATE/quick"; hold; }`)
			first := w.agents("agents-1", 1, "dev-1:developer")
			w.begins("PRP-1")
			if !back {
				w.agents("agents-2", 1, "dev-2:developer", "validator:validator", "integrator:integrator")
			}
			time.Sleep(someTime) // a heartbeat lists the run
			killed := time.Now()
			first.kill()
			if back {
				w.agents("agents-1", 1, "dev-1:developer")
				w.agents("agents-2", 1, "validator:validator", "integrator:integrator")
			}
			w.eventually(soon, "somebody runs it again", func() bool { return w.runsOf("PRP-1", "developer") > 1 })
			after := w.runs("PRP-1", "developer")[1].at - float64(killed.UnixMilli())/1000
			if after > 10 {
				t.Errorf("the killed agent's task ran again after %.1f s, promised are 10", after)
			}
			if alive(w.runs("PRP-1")[0].pid) {
				t.Error("the first run outlives its killed runtime beside the second")
			}
			w.reaches("PRP-1", "complete")
			w.history("PRP-1").isExactly(straight...)
		})
	}
}
