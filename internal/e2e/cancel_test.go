package e2e

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// stubborn is an agent with a child that is deaf to SIGTERM, which answers the
// signal with a result.
const stubborn = `trap finish TERM
sh -c "trap '' TERM; echo \$\$ >$STATE/deaf; exec sleep 90" &
i=0; while [ $i -lt 900 ]; do sleep 0.1; i=$((i+1)); done`

func TestCancelEndsTheWholeProcessGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("serve")
	w.agents("agents", 2, everybody...)
	w.write("do-developer-PRP-1", stubborn)
	w.begins("PRP-1")
	w.eventually(soon, "the deaf child is there", func() bool { return strings.HasSuffix(w.read("deaf"), "\n") })
	child, err := strconv.Atoi(strings.TrimSpace(w.read("deaf")))
	if err != nil {
		t.Fatal(err)
	}
	w.want(0, "cancel", "PRP-1", "--reason", "not needed", "--as", "ann")
	committed := time.Now()
	for _, pid := range []int{child, w.runs("PRP-1")[0].pid} {
		w.eventually(3*time.Second-time.Since(committed), "the cancelled run's process is gone", func() bool { return !alive(pid) })
	}
	w.want(4, "cancel", "PRP-1") // the end is the end
	w.submit("PRP-2")
	w.reaches("PRP-2", "complete")
	w.ran("PRP-1", 1)
	h := w.history("PRP-1")
	if e := h.only("cancel"); e.Actor != "ann" || e.Reason != "not needed" || h.entries[len(h.entries)-1].To != "cancelled" {
		t.Errorf("the history does not end with who cancelled it and why: %+v", h.entries)
	}
}

func TestAgentKnowsNeitherRedisNorTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serve("serve")
	w.agents("others", 1, "validator:validator", "integrator:integrator")
	w.write("do-developer", `env >"$STATE/env"`)
	file := w.agentsFile("dev", 1, "dev-1:developer")
	w.startWith([]string{"MARK=inherited", "PRPFLOW_API_TOKENS=operator:op:t-secret"}, "dev", "agent", "run", "--config", file)
	w.submit("PRP-1")
	w.reaches("PRP-1", "complete")
	own := map[string]bool{}
	for line := range strings.Lines(w.read("env")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if strings.Contains(value, "t-secret") || strings.Contains(value, w.redis.Addr) {
			t.Errorf("the agent can read %s", line)
		}
		if strings.HasPrefix(name, "PRPFLOW_") {
			own[name] = true
		}
	}
	for _, name := range []string{"TASK_ID", "PRP_ID", "ATTEMPT", "FENCE", "TASK_FILE", "RESULT_FILE"} {
		if !own["PRPFLOW_"+name] {
			t.Errorf("the agent is not told PRPFLOW_%s", name)
		}
	}
	if !strings.Contains(w.read("env"), "MARK=inherited\n") {
		t.Error("what is not prpflow's own is not inherited")
	}
}
