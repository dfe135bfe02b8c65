package e2e

import (
	"strings"
	"testing"
)

// dead is one line of dlq list --json.
type dead struct {
	ID      string `json:"id"`
	Lane    string `json:"lane"`
	PRP     string `json:"prp"`
	Queue   string `json:"queue"`
	Reason  string `json:"reason"`
	Attempt int    `json:"attempt"`
}

func (w *world) deadOf(prp string) []dead {
	w.t.Helper()
	var all, own []dead
	w.decode(w.want(0, "dlq", "list", "--json").out, &all)
	for _, d := range all {
		if d.Lane == "tasks" && d.PRP == prp {
			own = append(own, d)
		}
	}
	return own
}

func TestSpentRetriesLeaveOneDeadLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("serve")
	w.agents("agents", 2, everybody...)
	w.write("do-developer", `[ -e "$STATE/mended" ] || { echo "no compiler" >&2; exit 1; }`)
	w.eventually(soon, "dev-1 is there", func() bool { return strings.Contains(w.run("agents").out, "dev-1") })
	for _, id := range []string{"PRP-1", "PRP-2"} {
		w.submit(id)
	}
	letters := map[string]dead{}
	for _, id := range []string{"PRP-1", "PRP-2"} {
		w.reaches(id, "failed")
		w.ran(id, 3) // retries: 2
		d := w.deadOf(id)
		if len(d) != 1 || d[0].Attempt != 3 || d[0].Reason == "" || !strings.HasPrefix(d[0].Queue, "agent:dev-1") {
			t.Fatalf("%s: want one dead letter of agent:dev-1 with a reason and 3 runs, got %+v", id, d)
		}
		letters[id] = d[0]
	}
	w.write("mended", "")
	w.want(0, "dlq", "replay", letters["PRP-1"].ID)
	w.want(0, "retry", "PRP-2", "--request-id", "r-1")
	w.want(0, "retry", "PRP-2", "--request-id", "r-1") // wherever it now stands
	w.want(4, "cancel", "PRP-2", "--request-id", "r-1")
	for _, id := range []string{"PRP-1", "PRP-2"} {
		w.reaches(id, "complete")
		h := w.history(id)
		if e := h.only("retry"); e.From != "failed" || e.To != "assigned" {
			t.Errorf("%s: retry goes from %s to %s", id, e.From, e.To)
		}
		if h.only("fail").Reason == "" {
			t.Errorf("%s failed, and the history does not say why", id)
		}
		if left := w.deadOf(id); len(left) > 0 {
			t.Errorf("%s is complete, and still a dead letter: %+v", id, left)
		}
	}
	w.want(3, "dlq", "replay", letters["PRP-1"].ID)
	w.want(4, "retry", "PRP-1")
}
