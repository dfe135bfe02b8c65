package fsm_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/prpflow/prpflow/fsm"
)

// A PRP keeps the lifecycle that it began under, which an earlier version has
// accepted: what is refused since must not strand it.
func TestStoredLifecycleStaysReadable(t *testing.T) {
	t.Parallel()
	for whole, group := range map[string][]refusal{small: slices.Concat(later, firing), claimed(t): claims} {
		for i, r := range group {
			t.Run(fmt.Sprintf("%d %s", i, r.at), func(t *testing.T) {
				t.Parallel()
				source := edit(t, whole, r.old, r.new)
				l, err := fsm.ParseStored("small.yaml", []byte(source))
				if err != nil {
					t.Fatal(err)
				}
				if string(l.Source()) != source || l.Initial() != "open" || len(l.States()) < 5 {
					t.Errorf("it is read as %s with the states %v", l.Initial(), l.States())
				}
				if want := (fsm.Problem{Line: lineOf(t, source, r.at), Text: r.says}); !slices.Contains(l.Warnings(), want) {
					t.Errorf("the warnings %v do not hold %v", l.Warnings(), want)
				}
			})
		}
	}
}

func TestStoredLifecycleMustHaveAStructure(t *testing.T) {
	t.Parallel()
	for i, r := range slices.Concat(structure, work, words) {
		t.Run(fmt.Sprintf("%d %s", i, r.at), func(t *testing.T) {
			t.Parallel()
			source := edit(t, small, r.old, r.new)
			_, err := fsm.ParseStored("small.yaml", []byte(source))
			r.isToldBy(t, source, err)
		})
	}
}

// The first version found out when it asked: what is not true does not hold.
func TestStoredGuardThatIsNoBooleanDoesNotHold(t *testing.T) {
	t.Parallel()
	for guard, holds := range map[string]bool{
		"evidence.good + 1": false, "prp.aproved": false, "evidence.good": false,
		"evidence.good == 1": true, "prp.aproved == nil": true,
	} {
		l, err := fsm.ParseStored("small.yaml", []byte(edit(t, small, "- evidence.good", "- "+guard)))
		if err != nil {
			t.Fatal(err)
		}
		e, err := l.Next("work", "end", "")
		if err != nil {
			t.Fatal(err)
		}
		missing, err := e.Check(fsm.Facts{Evidence: map[string]any{"good": 1}})
		if err != nil || (len(missing) == 0) != holds {
			t.Errorf("%s: missing %v, %v", guard, missing, err)
		}
	}
}

func TestStoredIsReadLikeAnyOther(t *testing.T) {
	t.Parallel()
	source := defaultSource(t)
	l, err := fsm.ParseStored("stored", []byte(source))
	if err != nil || l.Hash() != fsm.Default().Hash() || len(l.Warnings()) != len(fsm.Default().Warnings()) {
		t.Errorf("%v, %v", l, err)
	}
}
