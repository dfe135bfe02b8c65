package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/internal/redistest"
)

// panes starts a tmux server with a session lead, whose window is called dev-1 and
// writes every line that is typed into it to a file. It gives the server's socket.
func (w *world) panes(script string) (socket string) {
	w.t.Helper()
	redistest.Command(w.t, "tmux", "tmux")
	dir, err := os.MkdirTemp("", "tmux-") // a socket's path may not be long
	if err != nil {
		w.t.Fatal(err)
	}
	socket = filepath.Join(dir, "s")
	tmux := func(args ...string) {
		w.t.Helper()
		cmd := exec.Command("tmux", append([]string{"-S", socket, "-f", "/dev/null"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			w.t.Fatalf("tmux %v: %v\n%s", args, err, out)
		}
	}
	w.write("pane.sh", script)
	tmux("new-session", "-d", "-s", "lead", "-n", "dev-1", "-x", "200", "-y", "50", "sh "+w.path("pane.sh"))
	w.t.Cleanup(func() {
		_ = exec.Command("tmux", "-S", socket, "kill-server").Run()
		_ = os.RemoveAll(dir)
	})
	return socket
}

func (w *world) paneAgents(socket string) string {
	w.write("panes.yaml", `
agents:
  - {name: dev-1, role: developer, tmux: {pane: "lead:dev-1", socket: "`+socket+`"}}
  - {name: validator, role: validator, builtin: approve}
  - {name: integrator, role: integrator, builtin: approve}
`)
	return w.path("panes.yaml")
}

// typed are the lines that the pane was given.
func (w *world) typed() []string {
	b, err := os.ReadFile(w.path("typed"))
	if err != nil || len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

func TestAnAgentInAPaneIsToldOnceOfItsMessagesWhereTheModeSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	socket := w.panes("stty -echo; while IFS= read -r line; do printf '%s\\n' \"$line\" >>'" + w.path("typed") + "'; done")
	w.serve("serve", "--agents", w.paneAgents(socket))
	w.want(0, "send", "dev-1", "sent in the mode redis")
	time.Sleep(3 * time.Second)
	if lines := w.typed(); len(lines) != 0 {
		t.Fatalf("in the mode redis was typed: %q", lines)
	}
	w.want(0, "mode", "set", "dual", "--agent", "dev-1")
	w.eventually(patience, "the pane is rung", func() bool { return len(w.typed()) == 1 })
	w.has("the line", w.typed()[0], "[prpflow] 1 message waits for you", "prpflow inbox dev-1")
	w.want(0, "send", "dev-1", "two\nlines")
	w.eventually(patience, "it is rung for the second", func() bool { return len(w.typed()) == 2 })
	time.Sleep(3 * time.Second) // nothing new: nothing is typed
	if lines := w.typed(); len(lines) != 2 || !strings.Contains(lines[1], "2 messages wait") {
		t.Errorf("typed %q", lines)
	}
	w.wantInbox("dev-1", "sent in the mode redis", "two\nlines") // both are in the inbox until they are taken
	w.want(0, "mode", "set", "redis", "--agent", "dev-1")
	time.Sleep(2 * time.Second)
	w.want(0, "send", "dev-1", "after the switch")
	time.Sleep(3 * time.Second)
	if lines := w.typed(); len(lines) != 2 {
		t.Errorf("after the switch was typed: %q", lines[2:])
	}
}

func TestAPaneCarriesAPRPByFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	socket := w.panes(`stty -echo
while IFS= read -r line; do
  printf '%s\n' "$line" >>'` + w.path("typed") + `'
  result=${line##* }
  sleep 1
  printf '{"outcome":"done","evidence":{"tests_passed":true,' >"$result"
  sleep 1
  printf '"lint_clean":true,"coverage_pct":91}}' >>"$result"
done`)
	w.serve("serve", "--agents", w.paneAgents(socket))
	w.want(0, "submit", w.doc("", "PRP-1"), "--wait")
	if lines := w.typed(); len(lines) != 1 || !strings.Contains(lines[0], "PRP-1") || !strings.Contains(lines[0], "task.json") {
		t.Errorf("typed %q", lines)
	}
}

func TestAPaneThatIsNotThereSpendsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	redistest.Command(t, "tmux", "tmux")
	w.serve("serve", "--agents", w.paneAgents("no-such-server"))
	w.submit("PRP-1")
	w.eventually(patience, "it says why", func() bool { return strings.Contains(w.logs(), "not typed into its pane") })
	if s := w.show("PRP-1"); s.State == "failed" {
		t.Errorf("the PRP is %s", s.State)
	}
}
