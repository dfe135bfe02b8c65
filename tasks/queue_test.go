package tasks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/tasks"
)

func TestAgentServesItsUrgentQueueFirst(t *testing.T) {
	t.Parallel()
	want := []string{"agent:dev-1:p0", "agent:dev-1:p1", "agent:dev-1", "agent:dev-1:p3"}
	if got := tasks.AgentQueues("dev-1"); !slices.Equal(got, want) {
		t.Errorf("queues are %v", got)
	}
	if tasks.AgentQueue("dev-1", "") != tasks.AgentQueue("dev-1", "P2") {
		t.Error("no priority is not P2")
	}
}

func TestQueueTellsItsAgent(t *testing.T) {
	t.Parallel()
	for _, q := range tasks.AgentQueues("dev-1") {
		if got := tasks.QueueAgent(q); got != "dev-1" {
			t.Errorf("%s belongs to %q", q, got)
		}
	}
	if got := tasks.QueueAgent(tasks.RoleQueue("developer")); got != "" {
		t.Errorf("a role's queue belongs to %q", got)
	}
}

func TestAgentNamesAreFitForQueuesAndPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "dev-1", "claude_2.fast", strings.Repeat("a", 63)} {
		if err := tasks.CheckAgentName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "-a", ".a", "..", "Dev", "a b", "a:p0", "a/b", "a{b}", "ä", "a\n", strings.Repeat("a", 64)} {
		if tasks.CheckAgentName(name) == nil {
			t.Errorf("%q was accepted", name)
		}
	}
}
