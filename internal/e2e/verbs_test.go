package e2e

import (
	"bufio"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// has checks that a text holds all that it should.
func (w *world) has(what, text string, wanted ...string) {
	w.t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			w.t.Errorf("%s has no %q:\n%s", what, want, text)
		}
	}
}

// One PRP that is done, one that failed, one that nobody may touch: what each
// verb says of them.
func TestVerbsThatLookShowWhatThereIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("do-developer", `echo "building $PRPFLOW_PRP_ID"; printf '\033[31mred\033[0m\n'`)
	w.write("do-developer-PRP-2", `echo "no compiler" >&2; exit 1`)
	_, url := w.serve("serve", "--agents", w.agentsFile("team", 2, everybody...))
	w.want(0, "submit", w.doc("", "PRP-1"), "--wait")
	if a := w.runFor(soon, "submit", w.doc("", "PRP-2"), "--wait"); a.code != 5 {
		t.Errorf("submit --wait of one that fails: exit %d\n%s", a.code, a.errout)
	}
	w.want(0, "submit", w.doc("", "PRP-3", "PRP-2"), "--priority", "P0", "--repo", "../service", "--id", "urgent")

	w.has("list", w.want(0, "list").out, "PRP-1", "complete", "failed", "urgent", "PRP-2 (failed)")
	w.has("list --state", w.want(0, "list", "--state", "failed").out, "PRP-2")
	if out := w.want(0, "list", "--state", "failed", "--json").out; strings.Contains(out, "PRP-1") {
		t.Errorf("list --state failed shows %s", out)
	}
	w.has("show", w.want(0, "show", "urgent").out, "depends on", "PRP-2", "P0", "validated")
	w.has("history", w.want(0, "history", "PRP-1").out, "submit", "validation", "dev-1")
	logs := w.want(0, "logs", "PRP-1").out
	w.has("logs", logs, "building PRP-1", "dev-1")
	if strings.Contains(logs, "\x1b") {
		t.Errorf("logs upset the terminal: %q", logs)
	}
	w.has("logs --json", w.want(0, "logs", "PRP-2", "--json").out, "no compiler", `"agent"`)
	w.has("agents", w.want(0, "agents").out, "dev-1", "idle", "validator")
	w.has("agents --json", w.want(0, "agents", "--json").out, `"limited_until": null`, `"state": "idle"`)
	w.has("inbox", w.want(0, "inbox", "Orchestrator").out, "PRP-2", "has failed", "prpflow retry PRP-2")
	w.has("inbox --json", w.want(0, "inbox", "orchestrator", "--json", "--limit", "1").out, `"from": "engine"`, `"priority": "high"`, `"attempt": 1`)
	w.has("inbox of nobody", w.want(0, "inbox", "nobody").out, "no messages")
	w.has("queue list", w.want(0, "queue", "list").out, "agent:dev-1:p1", "inbox:orchestrator", "messages", "tasks")
	w.has("watch", w.want(0, "watch", "PRP-1").out, "PRP-1 is complete")
	w.has("version", w.want(0, "version").out, "prpflow", "go1")
	w.has("version --json", w.want(0, "version", "--json").out, `"platform"`)
	w.has("config", w.want(0, "config").out, "redis", "environment PRPFLOW_REDIS", "drain")
	w.has("config --json", w.want(0, "config", "--json").out, `"source"`)
	w.has("help", w.want(0).out, "demo", "submit", "dlq")
	_, page := w.get(url + "/")
	w.has("the board", page, "PRP-1", "PRP-2 (failed)", "dev-1", "Dead letters")
	if a := w.runFor(soon, "watch", "PRP-1", "PRP-2"); a.code != 5 {
		t.Errorf("watch of one that failed: exit %d", a.code)
	}
}

func TestDeadLettersAreShownReplayedAndDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("do-developer", `[ -e "$STATE/mended" ] || { echo "no compiler" >&2; exit 1; }`)
	w.serve("serve", "--agents", w.agentsFile("team", 2, everybody...))
	w.has("an empty list", w.want(0, "dlq", "list").out, "no dead letters")
	for _, id := range []string{"PRP-1", "PRP-2"} {
		w.submit(id)
	}
	for _, id := range []string{"PRP-1", "PRP-2"} {
		w.reaches(id, "failed")
	}
	one, two := w.deadOf("PRP-1")[0], w.deadOf("PRP-2")[0]
	w.has("dlq list", w.want(0, "dlq", "list").out, one.ID, two.ID, "tasks")
	w.has("dlq show", w.want(0, "dlq", "show", one.ID).out, "PRP-1", "no compiler")
	w.has("dlq show --json", w.want(0, "dlq", "show", one.ID, "--json").out, `"lane": "tasks"`, `"attempt": 3`)
	w.want(0, "dlq", "drop", one.ID, "--reason", "seen", "--as", "ann")
	for _, verb := range []string{"show", "drop", "replay"} {
		w.sentence(w.want(3, "dlq", verb, one.ID))
	}
	if s := w.state("PRP-1"); s != "failed" {
		t.Errorf("after its dead letter was dropped PRP-1 is %s", s)
	}
	if e := w.history("PRP-1").only("dead_letter_dropped"); e.Actor != "ann" || e.Reason != "seen" {
		t.Errorf("dropped by %q because of %q", e.Actor, e.Reason)
	}
	w.write("mended", "")
	w.want(0, "dlq", "replay", two.ID, "--as", "ann")
	w.reaches("PRP-2", "complete")
}

func TestAPausedQueueHandsOutNothingAndIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("serve", "--agents", w.agentsFile("team", 2, everybody...))
	w.eventually(soon, "the queues are known", func() bool { return strings.Contains(w.run("queue", "list").out, "agent:dev-1:p3") })
	w.has("queue pause", w.want(0, "queue", "pause", "agent:dev-1").out, "agent:dev-1:p0", "agent:dev-1:p3")
	w.want(0, "queue", "pause", "role:developer")
	w.submit("PRP-1")
	w.eventually(soon, "why names the queue", func() bool { return strings.Contains(w.show("PRP-1").Why, "paused") })
	w.has("queue list", w.want(0, "queue", "list").out, "paused")
	w.ran("PRP-1", 0)
	w.want(0, "queue", "resume", "role:developer")
	w.want(0, "queue", "resume", "agent:dev-1")
	w.reaches("PRP-1", "complete")
	w.sentence(w.want(3, "queue", "pause", "agent:nobody"))
}

const ownLifecycle = `name: short
roles: [developer]
initial: new
states:
  new: {}
  work: {role: developer, task: prp.develop, approval: true, results: {done: accept, failed: fail}}
  failed: {}
  complete: {terminal: true, success: true}
  cancelled: {terminal: true}
edges:
  - {event: begin, from: new, to: work, auto: true}
  - {event: accept, from: work, to: complete, by: person}
  - {event: fail, from: work, to: failed}
  - {event: retry, from: failed, to: work, resets: true}
  - {event: cancel, from: [new, work, failed], to: cancelled, by: person}
`

func TestALifecycleOfOnesOwnIsCheckedUsedAndDrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("short.yaml", ownLifecycle)
	w.write("wrong.yaml", strings.Replace(ownLifecycle, "to: complete", "to: nowhere", 1))
	w.has("check", w.want(0, "lifecycle", "check", w.path("short.yaml")).out, "can be used")
	w.write("odd.yaml", strings.Replace(ownLifecycle, "[new, work, failed]", "[new, failed]", 1))
	odd := w.want(0, "lifecycle", "check", w.path("odd.yaml"))
	w.has("what is odd", odd.errout, "odd.yaml:6: warning: a PRP cannot be cancelled in the state work: it has no edge for cancel")
	w.has("an odd one", odd.out, "can be used")
	for _, verb := range []string{"check", "use", "diagram"} {
		a := w.want(2, "lifecycle", verb, w.path("wrong.yaml"))
		w.has(verb+" of a wrong one", a.errout, "wrong.yaml:", "nowhere")
	}
	w.sentence(w.want(2, "lifecycle", "check", w.path("none.yaml")))
	w.sentence(w.want(2, "lifecycle", "diagram", "--format", "png"))
	w.has("the default", w.want(0, "lifecycle", "diagram").out, "stateDiagram", "integration")
	w.serve("serve", "--agents", w.agentsFile("team", 2, everybody...))
	w.submit("PRP-1") // keeps the default
	w.want(0, "lifecycle", "use", w.path("short.yaml"))
	w.has("the active one", w.want(0, "lifecycle", "diagram", "--format", "dot").out, "digraph", "accept")
	w.submit("PRP-2")
	w.reaches("PRP-1", "complete")
	w.eventually(soon, "PRP-2 waits for a person", func() bool { return strings.Contains(w.show("PRP-2").Why, "person") })
	w.want(0, "trigger", "PRP-2", "accept", "--evidence", "approved=true", "--as", "ann", "--reason", "fine")
	if e := w.history("PRP-2").only("accept"); e.Actor != "ann" || e.Reason != "fine" || e.Evidence["approved"] != true {
		t.Errorf("accepted: %+v", e)
	}
}

func TestADryRunCreatesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.doc("batch", "PRP-2", "PRP-1")
	w.doc("batch", "PRP-1")
	w.write("batch/notes.md", "just some notes\n")
	w.write("batch/.hidden/PRP-9.md", "# PRP-9 - Hidden\n")
	a := w.want(0, "submit", w.path("batch"), "--dry-run")
	w.has("the plan", a.out, "PRP-1", "PRP-2", "would be submitted", "no live developer")
	w.has("remarks", a.errout, "notes.md", "skipped")
	if strings.Index(a.out, "PRP-1") > strings.Index(a.out, "PRP-2") || strings.Contains(a.out, "PRP-9") {
		t.Errorf("the order is wrong, or a hidden folder was read:\n%s", a.out)
	}
	w.has("list", w.want(0, "list").out, "no PRPs")
	if out := strings.TrimSpace(w.want(0, "list", "--json").out); out != "[]" {
		t.Errorf("list --json of nothing: %s", out)
	}
	w.has("without serve", w.want(0, "submit", w.path("batch")).errout, "No `prpflow serve` is running")
	for _, args := range [][]string{
		{"submit", w.path("batch"), "--id", "x"}, {"submit", w.path("batch"), "--priority", "P9"}, {"submit", w.path(".") + "/none"},
		{"submit", w.doc("", "PRP-7"), "--id", "a b"}, {"trigger", "PRP-1", "cancel", "--evidence", "x"}, {"queue", "frob"}, {"submit"},
	} {
		w.sentence(w.want(2, args...))
	}
}

func TestMovesAreToldAsTheyHappen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("do-developer-PRP-1", "hold")
	w.serve("serve", "--agents", w.agentsFile("team", 2, everybody...))
	w.begins("PRP-1")
	lines := w.start("watch", "watch", "PRP-1")
	events := w.start("events", "watch", "PRP-1", "--json")
	w.eventually(soon, "watch says where it stands", func() bool { return strings.Contains(w.read("watch.log"), "PRP-1 is in development") })
	w.write("go-PRP-1", "")
	if code := lines.ends(soon); code != 0 {
		t.Errorf("watch exits %d", code)
	}
	if code := events.ends(soon); code != 0 {
		t.Errorf("watch --json exits %d", code)
	}
	w.has("watch", w.read("watch.log"), "development → validation (submit) by dev-1", "→ complete")
	var told []string
	for s := bufio.NewScanner(strings.NewReader(w.read("events.log"))); s.Scan(); {
		var e struct {
			ID, Event string
		}
		if err := json.Unmarshal(s.Bytes(), &e); err != nil || e.ID != "PRP-1" {
			t.Fatalf("not a line of JSON about PRP-1: %q", s.Text())
		}
		told = append(told, e.Event)
	}
	if !slices.Equal(told, []string{"submit", "approve", "finish"}) {
		t.Errorf("watch --json told of %v", told)
	}
}
