package e2e

import (
	"strings"
	"testing"
)

func TestEachErrorIsASentenceWithItsExitCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.submit("PRP-1")
	w.want(0, "cancel", "PRP-1")
	w.write("binary.md", "# PRP-2 - \x00\xff\xfe")
	for _, c := range []struct {
		name string
		code int
		args []string
	}{
		{"unknown PRP", 3, []string{"show", "PRP-9999"}},
		{"history of an unknown PRP", 3, []string{"history", "PRP-9999"}},
		{"event that the state does not allow", 4, []string{"trigger", "PRP-1", "assign"}},
		{"event that no lifecycle knows", 2, []string{"trigger", "PRP-1", "frobnicate"}},
		{"file that is not there", 2, []string{"submit", "no-such-file.md"}},
		{"file that is no text", 2, []string{"submit", "binary.md"}},
		{"unknown verb", 2, []string{"frobnicate"}},
		{"unknown flag", 2, []string{"list", "--frobnicate"}},
		{"no Redis there", 69, []string{"list", "--redis", "redis://127.0.0.1:1"}},
	} {
		t.Run(c.name, func(t *testing.T) { // not parallel: one world
			w := *w
			w.t = t
			w.sentence(w.want(c.code, c.args...))
		})
	}
}

func TestSameDocumentTwiceIsSubmittedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := w.doc("", "PRP-1")
	w.want(0, "submit", file)
	again := w.want(0, "submit", file)
	if !strings.Contains(again.out+again.errout, "already submitted") {
		t.Errorf("the second time says %q", again.out+again.errout)
	}
	w.write("PRP-1.md", w.read("PRP-1.md")+"\nAnother sentence.\n")
	w.sentence(w.want(4, "submit", file))
	w.want(0, "submit", file, "--revise")
}

func TestDocumentThatTheLintRefusesStaysInNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("PRP-1.md", "# PRP-1 - No criterion\n**Priority**: P2\n\n## Goal\nNobody can say when it is done.\n")
	for range 2 {
		w.want(4, "submit", w.path("PRP-1.md"))
		if s := w.state("PRP-1"); s != "new" {
			t.Errorf("the refused document is in %q, want new", s)
		}
	}
	w.want(0, "submit", w.doc("", "PRP-1"), "--revise")
	if s := w.state("PRP-1"); s == "new" {
		t.Error("the mended document still waits in new")
	}
}
