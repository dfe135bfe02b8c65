package prp

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Rules that are about several documents, or none: other tests trip them.
var severalDocuments = []string{"id-twice", "dependency-unknown", "dependency-cycle"}

// Each rule has a document that trips it and one that nearly does. What lint
// says of both is in testdata/rules/NAME.golden; -update rewrites it.
func TestEachRuleTripsOnItsOwnDocument(t *testing.T) {
	t.Parallel()
	for _, r := range Rules() {
		if slices.Contains(severalDocuments, r.Name) {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			var golden strings.Builder
			for _, kind := range []string{"trips", "nearly"} {
				file := filepath.Join("testdata", "rules", r.Name+"."+kind+".md")
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				findings := parse(t, "a-thing.md", string(text)).Lint()
				if trips := slices.ContainsFunc(findings, func(f Finding) bool { return f.Rule == r.Name && f.Error == r.Error }); trips != (kind == "trips") {
					t.Errorf("%s trips %s: %v", file, r.Name, trips)
				}
				for _, f := range findings {
					fmt.Fprintf(&golden, "%s:%d: %s (%s, error: %v)\n", kind, f.Line, f.Message, f.Rule, f.Error)
				}
			}
			file := filepath.Join("testdata", "rules", r.Name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(golden.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(file); err != nil || string(want) != golden.String() {
				t.Errorf("%s is not what lint says (%v):\n%s", file, err, &golden)
			}
		})
	}
}

func TestRulesSayWhyAndWhatToDo(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.Name] || r.Why == "" || r.Mend == "" || strings.ToLower(r.Name) != r.Name {
			t.Errorf("%+v", r)
		}
		seen[r.Name] = true
	}
}

func TestTheTemplateHasNoFindings(t *testing.T) {
	t.Parallel()
	if d := parse(t, "PRP-1-letters.md", Template); len(d.Lint()) > 0 || len(d.Criteria) < 2 || len(d.Gates) < 2 || d.Priority == "" {
		t.Errorf("%+v: %+v", d, d.Lint())
	}
}
