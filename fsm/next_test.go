package fsm_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/prpflow/prpflow/fsm"
)

// What looplab decides is what the table says, for every state, event and
// remembered state, known or not.
func TestNextAgreesWithTheTable(t *testing.T) {
	t.Parallel()
	l := fsm.Default()
	states := append(l.States(), "", "nowhere", fsm.Back)
	events := append(l.Events(), "", "pause", "nothing")
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.SampledFrom(states).Draw(t, "from")
		event := rapid.SampledFrom(events).Draw(t, "event")
		back := rapid.SampledFrom(states).Draw(t, "back")
		got, err := l.Next(from, event, back)

		var want error
		i := slices.IndexFunc(rules, func(r rule) bool { return r.from == from && r.event == event })
		switch {
		case !slices.Contains(l.Events(), event):
			want = fsm.ErrUnknownEvent
		case i < 0, rules[i].to == fsm.Back && !slices.Contains(l.States(), back):
			want = fsm.ErrNoEdge
		}
		if want != nil {
			if !errors.Is(err, want) {
				t.Fatalf("%s in %s, back to %q: %v, want %v", event, from, back, err, want)
			}
			return
		}
		to := rules[i].to
		if to == fsm.Back {
			to = back
		}
		if err != nil || got.From != from || got.Event != event || got.To != to || strings.Join(got.Guards, ", ") != rules[i].guards {
			t.Fatalf("%s in %s, back to %q: %+v, %v, want %s", event, from, back, got, err, to)
		}
	})
}

func TestEventThatLeadsNowhereSaysWhatCanHappenInstead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, event, back, says string }{
		{"new", "aprove", "", `unknown event "aprove": the lifecycle knows validate, assign, start,`},
		{"validation", "finish", "", "the state does not allow it: finish in the state validation, where only approve, reject, ask, fail, cancel can happen"},
		{"blocked", "submit", "validation", "where only answer, cancel can happen"},
		{"blocked", "answer", "", "answer in the state blocked, where only cancel can happen"},
		{"complete", "cancel", "", "cancel in the state complete, which is terminal, nothing can happen"},
		{"nowhere", "cancel", "", "cancel in the state nowhere, which the lifecycle does not know, nothing can happen"},
	} {
		_, err := fsm.Default().Next(c.from, c.event, c.back)
		if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), "where which", "which"), c.says) {
			t.Errorf("%s in %s: %v, want %s", c.event, c.from, err, c.says)
		}
	}
}

// looplab answers a loop with an error, though it is a move.
func TestEdgeFromAStateToItselfIsAnEdge(t *testing.T) {
	t.Parallel()
	l := load(t, edit(t, small, "to: back}", "to: back}\n  - {event: remind, from: asked, to: asked}"))
	if e, err := l.Next("asked", "remind", "work"); err != nil || e.To != "asked" {
		t.Errorf("%+v, %v", e, err)
	}
}

// One lifecycle serves all goroutines of a process.
func TestDecisionsDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for _, back := range []string{"development", "validation", "integration", "assigned"} {
		wg.Go(func() {
			for range 50 {
				e, err := fsm.Default().Next("blocked", "answer", back)
				if err != nil || e.To != back {
					t.Errorf("back to %s: %+v, %v", back, e, err)
				}
			}
		})
	}
	wg.Wait()
}

// The lifecycle of a running process cannot be changed from outside.
func TestWhatIsHandedOutIsTheCallers(t *testing.T) {
	t.Parallel()
	source := edit(t, small, "role: worker", "role: worker\n    retries: 2")
	l := load(t, edit(t, source, "to: stopped}", "to: stopped, by: [agent, engine]}"))

	s, _ := l.State("work")
	s.Results["done"], *s.Retries = "stop", 9
	e, err := l.Next("work", "end", "")
	if err != nil {
		t.Fatal(err)
	}
	e.Guards[0] = "true"
	l.Edges("work")[2].By[0] = "person"
	l.Roles()[0], l.States()[0], l.Events()[0], l.Source()[0] = "x", "x", "x", 'x'

	if s, _ := l.State("work"); s.Results["done"] != "end" || *s.Retries != 2 {
		t.Errorf("the state is now %+v", s)
	}
	if e, _ := l.Next("work", "end", ""); e.Guards[0] != "evidence.good" {
		t.Errorf("the guards are now %v", e.Guards)
	}
	if e, _ := l.Next("work", "stop", ""); e.By[0] != "agent" {
		t.Errorf("it is now fired by %v", e.By)
	}
	if l.Roles()[0] != "worker" || l.States()[0] != "open" || l.Events()[0] != "begin" || l.Source()[0] != 'n' {
		t.Error("roles, states, events or source have changed")
	}
	if _, ok := l.State("nowhere"); ok {
		t.Error("it knows a state called nowhere")
	}
}
