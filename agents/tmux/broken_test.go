package tmux

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tmux fails or hangs at each of its commands. What was not typed is not
// delivered, and what may have been typed is never said not to be.
func TestVerdictIsHonestWhereverTmuxFails(t *testing.T) {
	b := newBench(t)
	file := b.reader("dev-1", rawReader)
	for _, c := range []struct {
		broken string
		want   Verdict
		typed  string
		says   string
	}{
		{"fail list-panes", NotDelivered, "", "broken by a test"},
		{"hang list-panes", NotDelivered, "", "does not answer within"},
		{"garble list-panes", NotDelivered, "", "version 3.2"},
		{"garble display-message", NotDelivered, "", "version 3.2"},
		{"fail display-message", NotDelivered, "", "broken"},
		{"fail capture-pane", NotDelivered, "", "broken"},
		{"fail load-buffer", NotDelivered, "", "broken"},
		{"hang load-buffer", NotDelivered, "", "does not answer"},
		{"fail paste-buffer", NotDelivered, "", "broken"},
		{"hang paste-buffer", Unconfirmed, "", "does not answer"},
		{"fail send-keys", Unconfirmed, "x", "Enter was not pressed"},
		{"hang send-keys", Unconfirmed, "x", "Enter was not pressed"},
	} {
		t.Setenv(brokenCall, c.broken)
		bell := b.bell(Config{Command: os.Args[0], Timeout: 2 * time.Second})
		before := b.content(file)
		got, err := bell.Ring(t.Context(), b.pane("lead:dev-1"), "x")
		if got != c.want || err == nil || !strings.Contains(err.Error(), c.says) || errors.Is(err, errNoAnswer) != strings.HasPrefix(c.broken, "hang") {
			t.Errorf("%s: %s, %v", c.broken, got, err)
		}
		b.wantTyped(file, before+c.typed)
		if left := b.locks(); len(left) > 0 {
			t.Errorf("%s: the pane is still locked", c.broken)
		}
	}
	if left := b.tmux("list-buffers"); strings.Count(left, "\n") > 0 { // only a hanging tmux leaves one
		t.Errorf("buffers:\n%s", left)
	}
}

// The pane ends between Enter and the look at it.
func TestPaneThatEndsByTheLineIsUnconfirmed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.reader("dev-1", "touch FILE; read -r line")
	b.want(b.bell(Config{Confirm: patience}), "lead:dev-1", "good bye", Unconfirmed)
}

func TestServerIsNamedByItsSocketOrByTheEnvironment(t *testing.T) {
	b := newBench(t)
	file := b.reader("dev-1", rawReader)
	named := filepath.Join(b.dir, fmt.Sprintf("tmux-%d", os.Geteuid()))
	b.must(errors.Join(os.Mkdir(named, 0o700), os.Symlink(b.socket, filepath.Join(named, "by-name"))))
	t.Setenv("TMUX_TMPDIR", b.dir)
	t.Setenv("TMUX", b.socket+",1,0") // as in a pane of that server
	for _, socket := range []string{b.socket, "by-name", ""} {
		verdict, err := b.bell(Config{}).Ring(t.Context(), Pane{Target: "lead:dev-1", Socket: socket}, "x")
		if verdict != Unconfirmed || err != nil {
			t.Errorf("socket %q: %s, %v", socket, verdict, err)
		}
	}
	b.wantTyped(file, "x\rx\rx\r")
}
