package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/internal/redistest"
)

// What the README tells a newcomer to type, typed.
func TestReadmesAgentWorksAsItStandsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(readme), "## An agent in ten lines")
	_, after, _ = strings.Cut(after, "```sh\n")
	commands, _, found := strings.Cut(after, "```")
	if !found {
		t.Fatal("the README has no agent in ten lines")
	}
	sh := exec.CommandContext(t.Context(), "sh", "-eu")
	sh.Dir, sh.Stdin = w.dir, strings.NewReader(commands)
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w.serve("serve", "--agents", w.path("my-team/agents.yaml"))
	w.submit("PRP-1")
	w.reaches("PRP-1", "complete")
}

// The examples' team carries the examples' PRP, with one rejection on the way.
func TestExamplesTeamCarriesTheExamplesPRP(t *testing.T) {
	t.Parallel()
	redistest.Command(t, "python", "python3")
	w := newWorld(t)
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	w.serve("serve", "--agents", filepath.Join(examples, "agents.yaml"))
	w.want(0, "submit", filepath.Join(examples, "PRP-1-greeting.md"))
	w.submit("PRP-2")
	for _, id := range []string{"PRP-1", "PRP-2"} {
		w.reaches(id, "complete")
		w.history(id).isExactly("validate", "assign", "start", "submit", "reject", "submit", "approve", "finish")
	}
}
