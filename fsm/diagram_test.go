package fsm_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/prpflow/prpflow/fsm"
)

var update = flag.Bool("update", false, "write the diagrams in testdata anew")

func TestDiagramsShowEveryStateEdgeAndGuard(t *testing.T) {
	t.Parallel()
	// Names and guards that mean something to Mermaid or Graphviz.
	odd := edit(t, small, "name: small", `name: 'say "small" \ now'`)
	odd = strings.NewReplacer("stopped", "end", "asked", "in-review").Replace(odd)
	odd = edit(t, odd, "- evidence.good", `- 'evidence.n < 3 ? evidence.s == "a;#b" : prp.fit'`+"\n      - |\n        evidence.n\n        > 1")
	for name, l := range map[string]*fsm.Lifecycle{"default": fsm.Default(), "odd": load(t, odd)} {
		golden(t, name+".mmd", l.Mermaid())
		golden(t, name+".dot", l.Dot())
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-update writes it anew): %s", name, diff)
	}
}
