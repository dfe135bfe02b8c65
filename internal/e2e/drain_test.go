package e2e

import (
	"testing"
	"time"
)

func TestDrainFinishesWhatItCanAndHandsBackTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env = append(w.env, "PRPFLOW_DRAIN=4s")
	w.serve("serve")
	w.agents("others", 2, "validator:validator", "integrator:integrator")
	w.write("do-developer-PRP-1", "sleep 2")
	w.write("do-developer-PRP-2", `[ "$AGENT" != dev-old ] || { trap '' TERM; sleep 60; }`)
	old := w.agents("old", 2, "dev-old:developer")
	w.begins("PRP-2")
	w.begins("PRP-1")
	w.agents("new", 2, "dev-new:developer")
	old.signal(term)
	w.submit("PRP-3")
	if code := old.ends(20 * time.Second); code != 0 {
		t.Errorf("a drained process exits %d, want 0\n%s", code, w.logs())
	}
	if pid := w.runs("PRP-2")[0].pid; alive(pid) {
		t.Errorf("the process has ended, its agent %d has not", pid)
	}
	for _, id := range []string{"PRP-1", "PRP-2", "PRP-3"} {
		w.reaches(id, "complete")
	}
	w.ran("PRP-1", 1, "developer")
	if by := w.history("PRP-1").only("submit").Actor; by != "dev-old" {
		t.Errorf("the run that ended in time does not count: PRP-1 was submitted by %s", by)
	}
	w.ran("PRP-2", 2, "developer")
	w.ran("PRP-3", 0, "dev-old")
	if s := w.show("PRP-2"); s.Attempt != 1 {
		t.Errorf("the interrupted run was counted as an attempt: %d", s.Attempt)
	}
	if fails := w.history("PRP-2").of("fail"); len(fails) > 0 {
		t.Errorf("the interrupted run was counted as a failure: %+v", fails)
	}
}
