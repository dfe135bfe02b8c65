package fsm_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/prpflow/prpflow/fsm"
)

// rule is an edge of the default lifecycle: event, from, to, who, what it asks for.
type rule struct{ event, from, to, by, guards string }

// rules is the table of the design, section 3, state by state.
var rules = []rule{
	{"validate", "new", "validated", "engine person", "prp.fit"},
	{"cancel", "new", "cancelled", "person", ""},
	{"assign", "validated", "assigned", "engine person", "prp.unblocked"},
	{"cancel", "validated", "cancelled", "person", ""},
	{"start", "assigned", "development", "agent", ""},
	{"ask", "assigned", "blocked", "agent", ""},
	{"fail", "assigned", "failed", "engine agent", ""},
	{"cancel", "assigned", "cancelled", "person", ""},
	{"submit", "development", "validation", "agent person", "evidence.tests_passed, evidence.lint_clean, evidence.coverage_pct >= 80"},
	{"ask", "development", "blocked", "agent", ""},
	{"fail", "development", "failed", "engine agent", ""},
	{"cancel", "development", "cancelled", "person", ""},
	{"approve", "validation", "integration", "agent person", "evidence.approved"},
	{"reject", "validation", "development", "agent person", ""},
	{"ask", "validation", "blocked", "agent", ""},
	{"fail", "validation", "failed", "engine agent", ""},
	{"cancel", "validation", "cancelled", "person", ""},
	{"finish", "integration", "complete", "agent person", "evidence.merged"},
	{"reject", "integration", "development", "agent person", ""},
	{"ask", "integration", "blocked", "agent", ""},
	{"fail", "integration", "failed", "engine agent", ""},
	{"cancel", "integration", "cancelled", "person", ""},
	{"answer", "blocked", "back", "person", ""},
	{"cancel", "blocked", "cancelled", "person", ""},
	{"retry", "failed", "assigned", "person", ""},
	{"cancel", "failed", "cancelled", "person", ""},
}

func TestDefaultHasTheEdgesOfTheDesignAndNoOthers(t *testing.T) {
	t.Parallel()
	l := fsm.Default()
	var got []rule
	for _, state := range l.States() {
		for _, e := range l.Edges(state) {
			got = append(got, rule{e.Event, e.From, e.To, strings.Join(e.By, " "), strings.Join(e.Guards, ", ")})
			if want := e.Event == "validate" || e.Event == "assign"; e.Auto != want {
				t.Errorf("%s: auto is %t", e.Event, e.Auto)
			}
			if want := e.Event == "retry"; e.Resets != want {
				t.Errorf("%s: resets is %t", e.Event, e.Resets)
			}
		}
	}
	if diff := cmp.Diff(rules, got, cmp.AllowUnexported(rule{})); diff != "" {
		t.Error(diff)
	}
}

func TestDefaultGivesEachWorkingStateToItsRole(t *testing.T) {
	t.Parallel()
	want := []fsm.State{
		{Name: "new"},
		{Name: "validated"},
		{Name: "assigned", Role: "developer", Task: "prp.develop", Claim: "start", Results: map[string]string{"question": "ask", "failed": "fail"}},
		{Name: "development", Role: "developer", Task: "prp.develop", Results: map[string]string{"done": "submit", "question": "ask", "failed": "fail"}},
		{Name: "validation", Role: "validator", Task: "prp.validate", Results: map[string]string{"done": "approve", "rejected": "reject", "question": "ask", "failed": "fail"}},
		{Name: "integration", Role: "integrator", Task: "prp.integrate", Capacity: 1, Results: map[string]string{"done": "finish", "rejected": "reject", "question": "ask", "failed": "fail"}},
		{Name: "blocked"},
		{Name: "failed"},
		{Name: "complete", Terminal: true, Success: true},
		{Name: "cancelled", Terminal: true},
	}
	l := fsm.Default()
	var got []fsm.State
	for _, name := range l.States() {
		s, _ := l.State(name)
		if len(s.Results) == 0 {
			s.Results = nil
		}
		if s.Working() != (s.Task != "") {
			t.Errorf("%s: working is %t", name, s.Working())
		}
		got = append(got, s)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDefaultTellsWhatItIs(t *testing.T) {
	t.Parallel()
	l, source := fsm.Default(), defaultSource(t)
	sum := sha256.Sum256([]byte(source))
	if l.Hash() != hex.EncodeToString(sum[:]) || string(l.Source()) != source {
		t.Error("hash or source are not those of the file")
	}
	if l.Name() != "default" || l.Initial() != "new" {
		t.Errorf("it is %q and begins in %q", l.Name(), l.Initial())
	}
	if diff := cmp.Diff([]string{"orchestrator", "developer", "validator", "integrator"}, l.Roles()); diff != "" {
		t.Error(diff)
	}
	events := []string{"validate", "assign", "start", "submit", "approve", "finish", "reject", "ask", "answer", "fail", "retry", "cancel"}
	if diff := cmp.Diff(events, l.Events()); diff != "" {
		t.Error(diff)
	}
	if fsm.Default() != l {
		t.Error("it is read more than once")
	}
}

// The legacy roles handed a PRP on in this order.
func TestDefaultCarriesAPRPAllTheWay(t *testing.T) {
	t.Parallel()
	state := fsm.Default().Initial()
	way := []string{state}
	for _, event := range []string{"validate", "assign", "start", "submit", "approve", "finish"} {
		e, err := fsm.Default().Next(state, event, "")
		if err != nil {
			t.Fatal(err)
		}
		state = e.To
		way = append(way, state)
	}
	want := []string{"new", "validated", "assigned", "development", "validation", "integration", "complete"}
	if diff := cmp.Diff(want, way); diff != "" {
		t.Error(diff)
	}
}
