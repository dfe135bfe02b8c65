package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// known are the fields of agents --json.
type known struct {
	Name    string  `json:"name"`
	State   string  `json:"state"`
	Reason  string  `json:"reason"`
	ProbeAt *string `json:"probe_at"`
}

func (w *world) agent(name string) (found known) {
	w.t.Helper()
	var list []known
	w.decode(w.want(0, "agents", "--json").out, &list)
	for _, a := range list {
		if a.Name == name {
			found = a
		}
	}
	return found
}

// unspent checks that a fault that is not the work's has cost the PRP nothing.
func (w *world) unspent(id string) {
	w.t.Helper()
	if s := w.show(id); s.State == "failed" || s.Attempt != 1 {
		w.t.Errorf("%s is %s, attempt %d: %s", id, s.State, s.Attempt, s.Why)
	}
	if dead := w.deadOf(id); len(dead) != 0 {
		w.t.Errorf("%s has dead letters: %+v", id, dead)
	}
	for _, e := range w.history(id).entries {
		if e.Event == "run_failed" || e.Event == "fail" {
			w.t.Errorf("%s: %s: %s", id, e.Event, e.Reason)
		}
	}
}

const rest = `
  - {name: validator, role: validator, builtin: approve}
  - {name: integrator, role: integrator, builtin: approve}
`

func TestProgramThatIsMissingCostsNothingAndIsUsedOnceItIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("team.yaml", `agents:
  - {name: dev-1, role: developer, exec: {command: ["./later.sh"], retries: 0, env: {STATE: "`+w.dir+`"}}}`+rest)
	w.serve("serve", "--agents", w.path("team.yaml"))
	if log := w.read("serve.log"); !strings.Contains(log, "later.sh") || !strings.Contains(log, "dev-1") {
		t.Errorf("nobody says at the start that the program is missing:\n%s", log)
	}
	if a := w.agent("dev-1"); a.State != "unwell" || !strings.Contains(a.Reason, "later.sh") || a.ProbeAt == nil {
		t.Errorf("it is shown as %+v", a)
	}
	w.submit("PRP-1")
	w.eventually(soon, "the PRP says why it waits", func() bool { return strings.Contains(w.show("PRP-1").Why, "later.sh") })
	w.unspent("PRP-1")
	w.write("later.sh", agentScript)
	if err := os.Chmod(w.path("later.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.reaches("PRP-1", "complete")
	w.unspent("PRP-1")
}

func TestWorkOfAnAgentThatOnlyFailsGoesToItsPeers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("bad.sh", "#!/bin/sh\necho x >>\"$STATE/bad-runs\"\nexit 1\n")
	w.write("bad-runs", "")
	if err := os.Chmod(w.path("bad.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	w.write("do-developer", "sleep 0.6")
	exec := func(command string) string {
		return fmt.Sprintf(`exec: {command: [%q], retries: 1, retry_delay: 1s, env: {STATE: %q, AGENT: dev-good, ROLE: developer, PROC: team}}`, command, w.dir)
	}
	w.write("team.yaml", "agents:\n  - {name: dev-bad, role: developer, "+exec("./bad.sh")+"}\n  - {name: dev-good, role: developer, "+exec(w.path("agent.sh"))+"}"+rest)
	w.serve("serve", "--agents", w.path("team.yaml"))
	var ids []string
	for i := range 10 {
		ids = append(ids, fmt.Sprintf("PRP-%d", 1+i))
		w.doc("batch", ids[i])
	}
	w.want(0, "submit", w.path("batch"))
	for _, id := range ids {
		w.reaches(id, "complete")
	}
	tried := strings.Count(w.read("bad-runs"), "x")
	if tried < 1 || tried > 8 {
		t.Errorf("the bad agent was given work %d times for 10 PRPs", tried)
	}
	t.Logf("the bad agent was tried %d times", tried)
}

func TestSignalToEverybodyIsNoFailureOfTheWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env = append(w.env, "PRPFLOW_DRAIN=5s")
	w.serve("serve")
	w.agents("others", 1, "validator:validator", "integrator:integrator")
	w.write("do-developer", `[ "$AGENT" = dev-new ] || sleep 60`)
	old := w.agents("old", 1, "dev-old:developer")
	w.begins("PRP-1")
	run := w.runs("PRP-1")[0]
	old.signal(term)
	if err := signalGroup(run.pid, term); err != nil { // as a service manager does it
		t.Fatal(err)
	}
	if code := old.ends(20 * time.Second); code != 0 {
		t.Errorf("it exits %d", code)
	}
	w.unspent("PRP-1")
	w.agents("new", 1, "dev-new:developer")
	w.reaches("PRP-1", "complete")
	w.unspent("PRP-1")
}

func TestHangupDrainsAndASecondInterruptHandsBackAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env = append(w.env, "PRPFLOW_DRAIN=60s")
	w.serve("serve")
	w.agents("others", 1, "validator:validator", "integrator:integrator")
	w.write("do-developer-PRP-1", "sleep 2")
	w.write("do-developer-PRP-2", `[ "$AGENT" = dev-3 ] || sleep 60`)
	first := w.agents("first", 1, "dev-1:developer")
	w.begins("PRP-1")
	first.signal(hup)
	if code := first.ends(soon); code != 0 {
		t.Errorf("after SIGHUP it exits %d", code)
	}
	w.reaches("PRP-1", "complete")
	w.ran("PRP-1", 1, "developer")

	second := w.agents("second", 1, "dev-2:developer")
	w.begins("PRP-2")
	run := w.runs("PRP-2")[0]
	second.signal(intr)
	w.eventually(soon, "the first Ctrl-C says what the second does", func() bool { return strings.Contains(w.read("second.log"), "once more") })
	if !second.running() || !alive(run.pid) {
		t.Error("the first Ctrl-C does not drain")
	}
	second.signal(intr)
	if code := second.ends(10 * time.Second); code != 0 || alive(run.pid) {
		t.Errorf("after the second it exits %d, its agent lives: %v", code, alive(run.pid))
	}
	w.agents("third", 1, "dev-3:developer")
	w.reaches("PRP-2", "complete")
	w.unspent("PRP-2")
}

func TestEndWhileRedisIsUnreachableIsAnEndInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, _ := w.serve("serve", "--agents", w.agentsFile("team", 1, everybody...))
	w.redis.Kill()
	time.Sleep(300 * time.Millisecond)
	p.signal(term)
	if code := p.ends(25 * time.Second); code != 0 {
		t.Errorf("it exits %d", code)
	}
	if log := w.read("serve.log"); strings.Contains(log, "panic") || strings.Contains(log, "goroutine ") {
		t.Errorf("its log:\n%s", log)
	}
}

func TestSubmitSaysWhyNothingMovesAndWhenThatChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("serve", "--agents", w.agentsFile("team", 1, "validator:validator", "integrator:integrator"))
	first := w.start("first", "submit", w.doc("", "PRP-1"), "--wait")
	says := func(name, what string) {
		t.Helper()
		w.eventually(soon, name+" says "+what, func() bool { return strings.Contains(w.read(name+".log"), what) })
	}
	says("first", "PRP-1 waits: no live developer")
	second := w.start("second", "submit", w.doc("", "PRP-2", "PRP-1"), "--wait")
	says("second", "PRP-2 waits: waiting for PRP-1 (assigned)")
	w.want(0, "cancel", "PRP-1")
	says("second", "PRP-2 waits: waiting for PRP-1 (cancelled)")
	if code := first.ends(soon); code != 5 {
		t.Errorf("the cancelled one's exits %d", code)
	}
	w.want(0, "cancel", "PRP-2")
	second.ends(soon)
}

func TestStrayEntriesOfAFolderAreSkippedWithALine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.doc("docs", "PRP-1")
	for name, to := range map[string]string{".#PRP-1.md": "me@host.1:1", "dead.md": "nowhere.md", "circle.md": "circle.md"} {
		if err := os.Symlink(to, w.path("docs/"+name)); err != nil {
			t.Fatal(err)
		}
	}
	a := w.want(0, "submit", w.path("docs"))
	w.has("the complaint", a.errout, ".#PRP-1.md: skipped", "dead.md: skipped", "circle.md: skipped")
	w.want(0, "show", "PRP-1")
	w.sentence(w.want(2, "submit", w.path("docs/dead.md")))
}

func TestWhatAgentsSayDoesNotCommandATerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("do-developer", `answer '{"outcome":"failed","reasons":["\u001b]0;owned\u0007 \u001b[2J \u202e\u009b boom"]}'; printf '\033[2Jlogged\007\n'; exit 0`)
	w.write("team.yaml", strings.ReplaceAll(w.read(filepath.Base(w.agentsFile("team", 1, everybody...))), "retries: 2", "retries: 0"))
	w.serve("serve", "--agents", w.path("team.yaml"))
	w.submit("PRP-1")
	w.reaches("PRP-1", "failed")
	id := w.deadOf("PRP-1")[0].ID
	shown := 0
	for _, verb := range [][]string{
		{"list"}, {"show", "PRP-1"}, {"history", "PRP-1"}, {"watch", "PRP-1"}, {"logs", "PRP-1"}, {"dlq", "list"}, {"dlq", "show", id}, {"agents"},
		{"list", "--json"}, {"show", "PRP-1", "--json"}, {"history", "PRP-1", "--json"}, {"dlq", "list", "--json"}, {"logs", "PRP-1", "--json"},
	} {
		a := w.run(verb...)
		if i := strings.IndexAny(a.out+a.errout, "\x1b\x07\x7f\u202e\u009b"); i >= 0 {
			t.Errorf("%v passes on %q", verb, (a.out + a.errout)[i:min(i+20, len(a.out+a.errout))])
		}
		if strings.Contains(a.out, "boom") || strings.Contains(a.out, "logged") {
			shown++
		}
	}
	if shown < 8 {
		t.Errorf("only %d verbs show what was said", shown)
	}
}

func TestRuntimeShowsNoSecretToItsAgents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env = append(w.env, "PRPFLOW_API_TOKENS=operator:boss:t0ps3cret", "MARK=inherited")
	w.write("do-developer", `tr '\0' '\n' </proc/$PPID/environ >"$STATE/parent"; env >"$STATE/own"; ls -l /proc/self/fd >"$STATE/open"; pwd >"$STATE/where"`)
	p := w.start("serve", "serve", "--listen", w.freeAddr(), "--agents", w.agentsFile("team", 1, everybody...))
	w.submit("PRP-1")
	w.reaches("PRP-1", "complete")
	for _, of := range []string{"parent", "own"} {
		text := w.read(of)
		if strings.Contains(text, "t0ps3cret") || strings.Contains(text, w.redis.Addr) {
			t.Errorf("the environment of the agent's %s holds a secret", of)
		}
		if !strings.Contains(text, "MARK=inherited") {
			t.Errorf("the environment of the agent's %s is not the one that was read", of)
		}
	}
	if open := w.read("open"); strings.Contains(open, "memfd") || strings.Contains(open, "socket") {
		t.Errorf("it has inherited:\n%s", open)
	}
	if where := w.read("where"); !strings.HasPrefix(where, w.path("on-disk")) {
		t.Errorf("it works in %s", where)
	}
	if !p.running() {
		t.Error("serve has ended")
	}
}
