//go:build unix

package exec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/agents/exec"
	"github.com/prpflow/prpflow/tasks"
)

// open lets everybody pass a folder and those above it.
func open(t *testing.T, dir string) {
	t.Helper()
	for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(os.TempDir(), 0o711); err != nil {
		t.Fatal(err)
	}
}

func TestAgentMayRunAsAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may run an agent as another user")
	}
	s := setup(t, "")
	above := filepath.Dir(s.task.Dir)
	secret := filepath.Join(above, "secret")
	if err := os.WriteFile(secret, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Two folders that are the runtime's lie between the run and the state folder.
	s.task.Dir = filepath.Join(above, "store", "process", "run")
	if err := os.MkdirAll(s.task.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s.task.Agent.User = "nobody"
	s.task.Agent.Exec.Command = []string{"/bin/sh", "-c", `
		test -r "$PRPFLOW_TASK_FILE" && test -w . && echo "$HOME $USER" >words || exit 3
		cat "$1" >stolen 2>/dev/null; cat "/proc/$PPID/environ" >>stolen 2>/dev/null; ls "$2" >>stolen 2>/dev/null; echo x >"$3" 2>/dev/null && echo noted >>stolen
		printf '{"outcome":"done","notes":"%s: %s, and %s"}' "$(id -un)" "$(cat words)" "$(cat stolen)" >"$PRPFLOW_RESULT_FILE"`, "sh", secret, filepath.Dir(s.task.Dir), s.task.Dir + ".group"}

	if got := s.run(t.Context()); got.Outcome != "" || !strings.Contains(got.Unwell, "nobody may not pass") || !strings.Contains(got.Unwell, "--state-dir") {
		t.Errorf("where the user may not pass: %+v", got)
	}
	open(t, above)
	got := s.run(t.Context())
	if s.want(got, tasks.Done, ""); !strings.HasPrefix(got.Notes, "nobody: ") || !strings.HasSuffix(got.Notes, ", and ") || !strings.Contains(got.Notes, " nobody,") {
		t.Errorf("it says %q", got.Notes)
	}
}

func TestUserThatIsNotThereKeepsAnAgentFromWork(t *testing.T) {
	t.Parallel()
	h, err := exec.Adapter{}.Handler(agents.Spec{Name: "a", User: "no-such-user", Exec: &agents.Exec{Command: []string{"true"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.(agents.Checker).Check(); err == nil || !strings.Contains(err.Error(), "user no-such-user: ") {
		t.Errorf("got %v", err)
	}
}
