package agents_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
)

// leave makes the folder of a run of a dead incarnation, with a file in it.
func leave(t *testing.T, h *house, run, name, text string) string {
	t.Helper()
	dir := filepath.Join(h.config.StateDir, "store", "host:1:dead-"+run, run)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestResultThatWasNotSavedWholeIsNone(t *testing.T) {
	t.Parallel()
	h := open(t, with(done))
	dir := leave(t, h, "half", "delivery-1.new", `{"id":"r","prp":"PRP-1","Result":{"outcome":"do`)
	if err := h.OfferLeftovers(t.Context()); err != nil || len(h.engine.delivered) != 0 {
		t.Errorf("delivered %+v, %v", h.engine.delivered, err)
	}
	if _, err := os.Stat(filepath.Dir(dir)); !os.IsNotExist(err) {
		t.Errorf("the folder stays: %v", err)
	}
}

func TestUnreadableLeftoverStopsNoOther(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	h := open(t, func(c *agents.Config) {
		with(done)(c)
		c.Log = slog.New(slog.NewTextHandler(&said, nil))
	})
	leave(t, h, "a", "delivery.json", "no JSON")
	for run, put := range map[string]func(string) error{
		"b": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"c": func(path string) error { return os.Mkdir(path, 0o700) },
		"d": func(path string) error { return os.Symlink("/etc/passwd", path) },
	} {
		if err := put(filepath.Join(leave(t, h, run, "x", ""), "delivery.json")); err != nil {
			t.Fatal(err)
		}
	}
	leave(t, h, "z", "delivery.json", `{"id":"r","prp":"PRP-1","job":"j","Result":{"outcome":"done"}}`)
	for range 3 {
		if err := h.OfferLeftovers(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.engine.delivered) != 1 || h.engine.delivered[0].ID != "r" {
		t.Errorf("delivered %+v", h.engine.delivered)
	}
	if n := strings.Count(said.String(), "cannot be read"); n != 4 {
		t.Errorf("it was told %d times of 4:\n%s", n, said.String())
	}
}

func TestStaleLeftoverIsDropped(t *testing.T) {
	t.Parallel()
	h := open(t, with(done))
	h.engine.stale["PRP-1"] = true
	dir := leave(t, h, "a", "delivery.json", `{"id":"r","prp":"PRP-1","job":"j","Result":{"outcome":"done"}}`)
	if err := h.OfferLeftovers(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("it stays: %v", err)
	}
}

func TestAgentThatSpoilsItsFolderIsHeardAllTheSame(t *testing.T) {
	t.Parallel()
	for _, spoil := range []string{
		`mkdir delivery.json`, `mkfifo delivery.json delivery.json.new`, `ln -s /no/where delivery.json`, `cd /; rm -rf "$R"`,
		`mkdir -p cache/mod; touch cache/mod/x; chmod -R a-w cache`,
	} {
		h := open(t, script(t.TempDir(), `R=${PRPFLOW_RESULT_FILE%/*}; cd "$R"; `+spoil+`; exit 0`))
		if err := <-h.begin(t.Context(), "PRP-1"); err != nil {
			t.Errorf("%s: %v", spoil, err)
		}
		if len(h.engine.delivered) != 1 || h.engine.delivered[0].Result.Outcome != tasks.Done {
			t.Errorf("%s: delivered %+v", spoil, h.engine.delivered)
		}
		if left, _ := filepath.Glob(filepath.Join(h.config.StateDir, "store", "*", "*", "*")); len(left) > 0 {
			t.Errorf("%s: left %v", spoil, left)
		}
	}
}
