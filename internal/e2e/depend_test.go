package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestDependantsWaitAndSayForWhom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("serve")
	w.agents("agents", 2, everybody...)
	w.write("do-developer-PRP-1", "hold")
	w.submit("PRP-1")
	w.submit("PRP-2", "PRP-1")
	w.submit("PRP-3", "PRP-2")
	if remarks := w.submit("PRP-4", "PRP-998"); !strings.Contains(remarks, "PRP-998") {
		t.Errorf("nobody knows PRP-998, and nobody is told: %q", remarks)
	}
	w.reaches("PRP-4", "complete")
	if s := w.show("PRP-4"); !slices.Equal(s.Unresolved, []string{"PRP-998"}) || len(s.BlockedBy) > 0 {
		t.Errorf("PRP-4 depends on a stranger: unresolved %v, blocked by %v", s.Unresolved, s.BlockedBy)
	}
	s := w.show("PRP-2")
	if s.State != "validated" || !slices.Equal(s.BlockedBy, []string{"PRP-1"}) || !strings.Contains(s.Why, "PRP-1") {
		t.Errorf("PRP-2 waits for PRP-1, it shows %+v", s)
	}
	w.ran("PRP-2", 0)
	w.write("go-PRP-1", "")
	w.reaches("PRP-3", "complete")
	if s := w.show("PRP-2"); len(s.BlockedBy) > 0 {
		t.Errorf("a complete PRP is blocked by %v", s.BlockedBy)
	}
}

func TestCycleIsSpelledAndCreatesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.doc("cycle", "PRP-1", "PRP-2")
	w.doc("cycle", "PRP-2", "PRP-3")
	w.doc("cycle", "PRP-3", "PRP-1")
	w.doc("cycle", "PRP-4")
	a := w.want(2, "submit", w.path("cycle"))
	if !spells(a.errout, "PRP-1", "PRP-2", "PRP-3") {
		t.Errorf("the cycle is not spelled from a PRP back to itself: %s", a.errout)
	}
	if a := w.want(2, "submit", w.doc("", "PRP-5", "PRP-5")); !strings.Contains(a.errout, "PRP-5") {
		t.Errorf("a PRP that waits for itself is not named: %s", a.errout)
	}
	for i := range 5 {
		w.want(3, "show", fmt.Sprintf("PRP-%d", i+1))
	}
}

// spells says whether the text walks the cycle once round, from any of its
// members, in either direction.
func spells(text string, cycle ...string) bool {
	named := regexp.MustCompile(`PRP-\d+`).FindAllString(text, -1)
	for range 2 {
		for i := range cycle {
			turn := slices.Concat(cycle[i:], cycle[:i], cycle[i:i+1])
			for k := 0; k+len(turn) <= len(named); k++ {
				if slices.Equal(named[k:k+len(turn)], turn) {
					return true
				}
			}
		}
		slices.Reverse(cycle)
	}
	return false
}

func TestDependantOfACancelledPRPSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("serve")
	w.agents("agents", 2, everybody...)
	w.write("do-developer-PRP-1", "hold")
	w.begins("PRP-1")
	w.submit("PRP-2", "PRP-1")
	w.want(0, "cancel", "PRP-1")
	w.eventually(soon, "PRP-2 says that PRP-1 is cancelled", func() bool {
		why := w.show("PRP-2").Why
		return strings.Contains(why, "PRP-1") && strings.Contains(why, "cancel")
	})
	if s := w.state("PRP-2"); s != "validated" {
		t.Errorf("PRP-2 is %s, want validated", s)
	}
	w.want(0, "undepend", "PRP-2", "--reason", "done by hand")
	w.reaches("PRP-2", "complete")
}
