package e2e

import (
	"strings"
	"testing"
	"time"
)

// PRP-1 runs while it is paused, PRP-2 is paused and resumed while it runs,
// PRP-3 is queued behind both.
func TestPausedPRPIsGivenToNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("serve")
	w.agents("agents", 2, everybody...)
	for _, id := range []string{"PRP-1", "PRP-2"} {
		w.write("do-developer-"+id, "hold")
		w.begins(id)
	}
	w.submit("PRP-3") // the developer has two places
	for _, id := range []string{"PRP-1", "PRP-3"} {
		w.want(0, "pause", id)
		w.want(0, "pause", id) // twice is once
		if s := w.show(id); !s.Paused || !strings.Contains(s.Why, "paused") {
			t.Errorf("%s is paused, it shows paused=%t, why=%q", id, s.Paused, s.Why)
		}
	}
	w.want(0, "pause", "PRP-2")
	w.want(0, "resume", "PRP-2")
	w.write("go-PRP-1", "")
	w.write("go-PRP-2", "")
	w.reaches("PRP-2", "complete")
	w.ran("PRP-2", 3)
	time.Sleep(someTime)
	w.ran("PRP-1", 1)
	w.ran("PRP-3", 0)
	for _, id := range []string{"PRP-1", "PRP-3"} {
		w.want(0, "resume", id)
		w.reaches(id, "complete")
		w.ran(id, 3)
		h := w.history(id)
		for _, event := range []string{"pause", "resume"} {
			if e := h.only(event); e.From != e.To {
				t.Errorf("%s: %s is a flag, not a move from %s to %s", id, event, e.From, e.To)
			}
		}
	}
}

func TestRequestIDIsOneTransitionForGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.submit("PRP-1")
	w.want(0, "pause", "PRP-1", "--request-id", "r-1")
	w.want(0, "resume", "PRP-1")
	w.want(0, "pause", "PRP-1", "--request-id", "r-1")
	if w.show("PRP-1").Paused {
		t.Error("a request id that was used has paused PRP-1 again")
	}
	w.sentence(w.want(4, "resume", "PRP-1", "--request-id", "r-1"))
}
