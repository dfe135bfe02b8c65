package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// agentScript is every agent of these tests: it notes the run, does what the
// test has laid down for its role and PRP, and is done.
const agentScript = `#!/bin/sh
# Notes the run, obeys the file do-ROLE-PRP or do-ROLE, answers done.
echo "$PRPFLOW_PRP_ID $ROLE $AGENT $PROC $$ $(date +%s.%N)" >>"$STATE/runs"
answer() { echo "$1" >"$PRPFLOW_RESULT_FILE"; }
finish() { answer '{"outcome":"done","evidence":{"tests_passed":true,"lint_clean":true,"coverage_pct":91,"approved":true,"merged":true}}'; }
hold() { until [ -e "$STATE/go-$PRPFLOW_PRP_ID" ] || [ ! -d "$STATE" ]; do sleep 0.1; done; }
for f in "$STATE/do-$ROLE-$PRPFLOW_PRP_ID" "$STATE/do-$ROLE"; do if [ -e "$f" ]; then . "$f"; break; fi; done
finish
`

func (w *world) script(text string) {
	w.t.Helper()
	w.write("agent.sh", text)
	if err := os.Chmod(w.path("agent.sh"), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

// member is one agent: "dev-1:developer".
type member string

// everybody is a team with one agent a role.
var everybody = []member{"orchestrator:orchestrator", "dev-1:developer", "validator:validator", "integrator:integrator"}

// agentsFile writes NAME.yaml for some agents, each with so many places.
func (w *world) agentsFile(name string, places int, members ...member) string {
	w.t.Helper()
	var b strings.Builder
	b.WriteString("agents:\n")
	for _, m := range members {
		agent, role, _ := strings.Cut(string(m), ":")
		fmt.Fprintf(&b, "  - name: %s\n    role: %s\n    concurrency: %d\n    exec:\n", agent, role, places)
		fmt.Fprintf(&b, "      command: [%q]\n      prompt: file\n      profile: exit-code\n", w.path("agent.sh"))
		fmt.Fprintf(&b, "      timeout: 300s\n      retries: 2\n      retry_delay: 1s\n")
		fmt.Fprintf(&b, "      env: {STATE: %q, AGENT: %s, ROLE: %s, PROC: %s}\n", w.dir, agent, role, name)
	}
	w.write(name+".yaml", b.String())
	return w.path(name + ".yaml")
}

// agents starts an agent process of that name.
func (w *world) agents(name string, places int, members ...member) *process {
	w.t.Helper()
	return w.start(name, "agent", "run", "--config", w.agentsFile(name, places, members...))
}

// one is a run as the agent noted it.
type one struct {
	prp, role, agent, process string
	pid                       int
	at                        float64 // unix seconds
}

// runs lists the runs so far, of the PRP and, where given, of the role or agent.
func (w *world) runs(prp string, of ...string) []one {
	w.t.Helper()
	var found []one
	for line := range strings.Lines(w.read("runs")) {
		f := strings.Fields(line)
		if len(f) != 6 || f[0] != prp || (len(of) > 0 && f[1] != of[0] && f[2] != of[0]) {
			continue
		}
		pid, _ := strconv.Atoi(f[4])
		at, _ := strconv.ParseFloat(f[5], 64)
		found = append(found, one{f[0], f[1], f[2], f[3], pid, at})
	}
	return found
}

func (w *world) runsOf(prp string, of ...string) int { return len(w.runs(prp, of...)) }

// ran checks how often a PRP was run.
func (w *world) ran(prp string, times int, of ...string) {
	w.t.Helper()
	if got := w.runs(prp, of...); len(got) != times {
		w.t.Errorf("%s %v was run %d times, want %d: %+v", prp, of, len(got), times, got)
	}
}

// alive says whether a process runs; a zombie does not.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(after, "Z")
}
