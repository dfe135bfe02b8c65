package fsm_test

import (
	"strings"
	"testing"

	"github.com/prpflow/prpflow/fsm"
)

// claims breaks the lifecycle that has a claim. The edge of the claim is fired
// with the job in an agent's hand: nothing may stop it.
var claims = []refusal{
	{"to: work}", "to: work, guard: evidence.good}", "event: take", "take is the claim event of ready, so it has no guard: put the guard on the edge to ready"},
	{"to: work}", "to: work, auto: true}", "event: take", "take is the claim event of ready, so it is not auto: an agent fires it"},
	{"to: work}", "to: work, resets: true}", "event: take", "take is the claim event of ready, so it cannot reset anything: the task goes on"},
	{"to: work}", "to: work, by: person}", "claim: take", "in the state ready picking the task up fires take, which an agent may not fire: line 26 says by person"},
	{"claim: take", "claim: take\n    capacity: 1", "claim: take", "the claim event take leads from ready to work, which must have the same capacity: it is taken before the task is published"},
	{"    results: {done:", "    capacity: 2\n    results: {done:", "claim: take", "the claim event take leads from ready to work, which must have the same capacity: it is taken before the task is published"},
	{"results: {failed: stop}", "results: {failed: stop, done: stop}\n    approval: true", "approval", "the state ready has approval, and no run ends in it: the claim event take leaves it first"},
	{"results: {failed: stop}", "results: {failed: stop, question: take}", "results: {failed", "in the state ready the outcome question gives take, which is the claim event: it has been fired before a run ends"},
	{"claim: take", "claim: take\n    retries: 2", "retries", "the state ready has retries, and no run ends in it: the claim event take leaves it first"},
	{"claim: take", "claim: take\n    retry_delay: 1s", "retry_delay", "the state ready has retry_delay, and no run ends in it: the claim event take leaves it first"},
	{"claim: take", "claim: take\n    max_rejections: 2", "max_rejections", "the state ready has max_rejections, and no run ends in it: the claim event take leaves it first"},
}

func TestClaimThatCannotBeMadeIsRefusedWithItsLine(t *testing.T) {
	t.Parallel()
	refuses(t, claimed(t), map[string][]refusal{"claim": claims})
}

// A claim keeps the job, so the state behind it has the same task.
func TestClaimLeadsToWhereTheSameTaskGoesOn(t *testing.T) {
	t.Parallel()
	if s, _ := load(t, claimed(t)).State("ready"); s.Claim != "take" {
		t.Errorf("%+v", s)
	}
}

func TestCapacityIsTakenBeforeTheClaimAndKept(t *testing.T) {
	t.Parallel()
	source := strings.ReplaceAll(claimed(t), "task: prp.work", "task: prp.work\n    capacity: 2")
	l := load(t, source)
	for _, name := range []string{"ready", "work"} {
		if s, _ := l.State(name); s.Capacity != 2 {
			t.Errorf("%s: capacity %d", name, s.Capacity)
		}
	}
}

// What is looked at when a run ends means something in a state that a claim
// leads to, though it has a claim of its own for runs that begin in it.
func TestStateThatAClaimLeadsToMayHaveAClaim(t *testing.T) {
	t.Parallel()
	source := edit(t, claimed(t), "    results: {done:", "    claim: renew\n    retries: 1\n    approval: true\n    results: {done:")
	load(t, edit(t, source, "  - {event: answer", "  - {event: renew, from: work, to: work}\n  - {event: answer"))
}

func TestGateIsPassedByThoseItNames(t *testing.T) {
	t.Parallel()
	by := func(who string) string { return "- evidence.good\n    by: " + who }
	for name, source := range map[string]string{
		"done, by an agent":              edit(t, small, "- evidence.good", by("agent")),
		"done, by either":                edit(t, small, "- evidence.good", by("[agent, person]")),
		"failed, by an agent":            edit(t, small, "to: stopped}", "to: stopped, by: [agent]}"),
		"failed, by the engine":          edit(t, small, "to: stopped}", "to: stopped, by: [engine]}"),
		"approved, by a person":          edit(t, edit(t, small, "- evidence.good", by("person")), "role: worker", "role: worker\n    approval: true"),
		"approved, by anybody":           edit(t, small, "role: worker", "role: worker\n    approval: true"),
		"auto, by the engine":            edit(t, small, "guard: prp.fit", "guard: prp.fit, by: engine"),
		"claimed, by an agent":           edit(t, claimed(t), "to: work}", "to: work, by: agent}"),
		"auto, or a person with a paper": edit(t, small, "guard: prp.fit", "guard: prp.fit or evidence.paper"),
	} {
		if _, err := fsm.Parse("small.yaml", []byte(source)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestApprovalThatNoPersonMayGiveIsRefused(t *testing.T) {
	t.Parallel()
	source := edit(t, small, "role: worker", "role: worker\n    approval: true")
	refuses(t, source, map[string][]refusal{"approval": {
		{"- evidence.good", "- evidence.good\n    by: [agent]", "results:", "the state work has approval, so a person approves by end, which a person may not fire: line 21 says by agent"},
	}})
}

func TestEdgeAllowsThoseItNamesElseAnybody(t *testing.T) {
	t.Parallel()
	for _, actor := range []string{"agent", "person", "engine"} {
		if !(fsm.Edge{}).Allows(actor) {
			t.Errorf("an edge for anybody refuses the %s", actor)
		}
		if got := (fsm.Edge{By: []string{"person", "engine"}}).Allows(actor); got != (actor != "agent") {
			t.Errorf("an edge by person and engine: %s is %t", actor, got)
		}
	}
}
