package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/internal/redistest"
)

// world is what one test has to itself: a folder, a redis-server, an environment.
type world struct {
	t     *testing.T
	dir   string
	redis *redistest.Instance
	env   []string
}

// newWorld starts a redis-server and nothing else.
func newWorld(t *testing.T) *world {
	t.Helper()
	if built.missing != "" {
		t.Skip(built.missing)
	}
	w := &world{t: t, dir: t.TempDir(), redis: redistest.Server(t)}
	w.env = append(clean(os.Environ()),
		"PRPFLOW_REDIS=redis://"+w.redis.Addr,
		"PRPFLOW_STATE_DIR="+w.path("on-disk"),
		"PRPFLOW_DRAIN=1s") // what is still running at the end of a test is of no interest
	w.write("runs", "")
	w.script(agentScript)
	return w
}

// clean drops what in the caller's shell would decide a test.
func clean(environ []string) []string {
	var kept []string
	for _, kv := range environ {
		if !strings.HasPrefix(kv, "PRPFLOW_") && !strings.HasPrefix(kv, "AGENT_COORDINATION_MODE=") {
			kept = append(kept, kv)
		}
	}
	return kept
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// write makes a file of the world's folder, and the folders above it.
func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.path(name), []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// read gives a file of the world's folder, "" while it is not there.
func (w *world) read(name string) string {
	b, _ := os.ReadFile(w.path(name))
	return string(b)
}

// soon is how long anything may take that has no limit of its own: generous,
// since a busy machine is no defect.
const soon = 60 * time.Second

// eventually waits for a condition, and fails the test with what it waited for.
func (w *world) eventually(limit time.Duration, what string, ok func() bool) {
	w.t.Helper()
	if !w.within(limit, ok) {
		w.t.Fatalf("after %s: not true that %s\n%s", limit, what, w.logs())
	}
}

// within asks every 100 ms, and answers whether the condition came true in time.
// The program is a process: there is nothing to wait on but what it shows.
func (w *world) within(limit time.Duration, ok func() bool) bool {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(limit); ; <-tick.C {
		if ok() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// logs is the end of what each process has printed.
func (w *world) logs() string {
	names, _ := filepath.Glob(w.path("*.log"))
	var all strings.Builder
	for _, name := range names {
		text := w.read(filepath.Base(name))
		if len(text) > 2000 {
			text = "…" + text[len(text)-2000:]
		}
		all.WriteString("--- " + filepath.Base(name) + "\n" + text + "\n")
	}
	return all.String()
}
