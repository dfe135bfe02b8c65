package e2e

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// load writes what a store held once: commands as JSON, what is no text after
// "base64:".
func (w *world) load(file string) {
	w.t.Helper()
	b, err := os.ReadFile(file)
	ok(w.t, err)
	var commands [][]string
	ok(w.t, json.Unmarshal(b, &commands))
	pipe := w.redis.Client().Pipeline()
	for _, command := range commands {
		args := make([]any, len(command))
		for i, text := range command {
			args[i] = text
			if code, is := strings.CutPrefix(text, "base64:"); is {
				raw, err := base64.StdEncoding.DecodeString(code)
				ok(w.t, err)
				args[i] = raw
			}
		}
		pipe.Do(w.t.Context(), args...)
	}
	_, err = pipe.Exec(w.t.Context())
	ok(w.t, err)
}

// A store of schema 1, left by a serve that was killed: with runs in the hands of
// the dead, questions, refusals, dead letters, pauses, places on a merge lease,
// and entries in its outbox.
func TestAStoreOfTheSchemaBeforeIsReadAndCarriedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.load("testdata/upgrade/schema1.json")
	if s := w.show("FX-refused"); s.State != "failed" || s.Attempt != 6 {
		t.Errorf("FX-refused is %+v", s)
	}
	if s := w.show("FX-fail"); !strings.Contains(s.Why, "no compiler") {
		t.Errorf("FX-fail: %q", s.Why)
	}
	if s := w.show("FX-waits"); s.Why != "waiting for FX-pending (assigned)" {
		t.Errorf("FX-waits: %q", s.Why)
	}
	w.serve("serve", "--agents", w.agentsFile("team", 4, everybody...))
	for _, id := range []string{"FX-hang", "FX-merging", "FX-validation", "FX-ask", "FX-rejected", "FX-pending", "FX-dependent", "FX-answered", "FX-waits", "FX-retry"} {
		w.reaches(id, "complete")
		w.history(id) // which is a chain
	}
	for _, id := range []string{"FX-paused", "FX-waiting-lease"} {
		w.want(0, "resume", id)
		w.reaches(id, "complete")
	}
	for _, id := range []string{"FX-fail", "FX-refused"} {
		w.want(0, "retry", id)
		w.reaches(id, "complete")
	}
	if s := w.show("FX-unfit"); s.State != "new" || !strings.Contains(s.Why, "no criterion") {
		t.Errorf("FX-unfit is %s: %q", s.State, s.Why)
	}
	w.eventually(20*time.Second, "queues, outbox and dead letters are empty", w.empty)
}
