package agents_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/prpflow/prpflow/agents"
)

// Whatever an agent prints, what is left of it upsets no terminal.
func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"\x1b[31mred\x1b[0m", "\x1b]0;title\x07x", "\x1b\x1b[[2J", "a\r\nb\rc", "\xff\xfe", "\u009b2J", "\u202eevil", "\x1bP\x1b\\"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 64<<10 { // longer ones are tested by name
			return
		}
		got := agents.Printable(text)
		if !utf8.ValidString(got) {
			t.Fatalf("%q is no text", got)
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }); i >= 0 {
			t.Fatalf("%q became %q", text, got)
		}
		if again := agents.Printable(got); again != got {
			t.Fatalf("%q became %q, and that %q", text, got, again)
		}
	})
}

// Any agents file is read, or refused in one sentence with the file's name.
func FuzzLoadFile(f *testing.F) {
	for _, seed := range []string{
		"agents:\n  - name: dev-1\n    role: developer\n    builtin: approve\n    delay: 1s\n",
		"agents:\n  - {name: a, role: r, exec: {command: [\"./x\"], env: {A: b}, retries: 1, timeout: 30m}, repo: {path: ../x}}\n",
		"agents: []\n", "agents:\n  - name: [\n", "a: &a [*a]\n", "agents: *x\n", "\x00", "agents:\n  - exec: {command: 7}\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		if len(source) > 64<<10 { // longer ones are tested by name
			return
		}
		path := filepath.Join(t.TempDir(), "agents.yaml")
		if err := os.WriteFile(path, source, 0o600); err != nil {
			t.Fatal(err)
		}
		specs, err := agents.LoadFile(path)
		if err != nil {
			if !strings.Contains(err.Error(), path+":") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%q is no sentence with file and line", err)
			}
			return
		}
		for _, s := range specs {
			if s.Name == "" || s.Role == "" || (s.Exec == nil) == (s.Builtin == "") {
				t.Fatalf("%+v was taken", s)
			}
		}
	})
}
