package registry_test

import (
	"strings"
	"testing"
)

func TestForgottenProcessLeavesNoTraceButItsAgents(t *testing.T) {
	b := setup(t)
	b.register(remote("far:7:a", "dev-1"))
	b.register(remote("far:8:b", "dev-2"))
	if err := b.Leave(t.Context(), "far:7:a"); err != nil {
		t.Fatal(err)
	}
	if err := b.Forget(t.Context(), "far:7:a"); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.rdb.Dump()) {
		if strings.Contains(line, "far:7:a") && !strings.Contains(line, `"name":"dev-1"`) {
			t.Errorf("still there: %s", line)
		}
	}
}

func TestWhoBeatsAfterTheGoodByeIsBack(t *testing.T) {
	b := setup(t)
	p := remote("far:7:a", "dev-1")
	b.register(p)
	if err := b.Leave(t.Context(), p.Incarnation); err != nil {
		t.Fatal(err)
	}
	b.register(p)
	list, _, err := b.Processes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].Left {
		t.Errorf("processes: %+v", list)
	}
}
