package agents_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/agents"
)

func TestLogKeepsHeadAndTailAndMarksTheCut(t *testing.T) {
	t.Parallel()
	var l agents.Log
	for i := range 100_000 {
		fmt.Fprintf(&l, "line %d\n", i)
	}
	text := l.String()
	if len(text) > agents.MaxLog || !strings.HasPrefix(text, "line 0\n") || !strings.HasSuffix(text, "line 99999\n") || !strings.Contains(text, "bytes cut ...]") {
		t.Errorf("%d bytes, from %q to %q", len(text), text[:20], text[len(text)-20:])
	}
	if again := l.String(); again != text {
		t.Error("reading it changes it")
	}
}

func TestLongLineIsCutAndTheNextOneIsNot(t *testing.T) {
	t.Parallel()
	var l agents.Log
	for range 300 {
		l.Printf("%s", "") // lines between the pieces end nothing else
		fmt.Fprint(&l, strings.Repeat("x", 10_000))
	}
	l.Printf("")
	fmt.Fprint(&l, strings.Repeat("y", 100_000))
	if text := l.String(); !strings.HasSuffix(text, "[... 83616 bytes of this line cut]") {
		t.Errorf("it ends %q", text[len(text)-60:])
	}
}

func TestPrintableUpsetsNoTerminal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain\ttext\n":                     "plain\ttext\n",
		"\x1b[1;31mred\x1b[0m":              "red",
		"\x1b]0;title\x07x\x1b]8;;u\x1b\\y": "xy",
		"a\r\nb\rc":                         "a\nb\nc",
		"\x00\x07\x08\x7f\u009bx":           "x",
		"\xff\xfe ok":                       "? ok",
		"\x1b":                              "",
		"\u202eevil":                        "evil",
		"ümläut €":                          "ümläut €",
	} {
		if got := agents.Printable(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
