package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestLintSaysWhatADocumentIsReadAs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := w.doc("", "PRP-1", "PRP-9")
	w.has("lint", w.want(0, "lint", file).out, "PRP-1", "passes", "PRP-9")
	var one struct {
		ID        string   `json:"id"`
		DependsOn []string `json:"depends_on"`
		Verdict   string   `json:"verdict"`
		Criteria  []struct {
			Text, Source string
		} `json:"criteria"`
		Findings []struct{ Rule, Message, Mend string } `json:"findings"`
	}
	w.decode(w.want(0, "lint", "--json", file).out, &one)
	if one.ID != "PRP-1" || one.Verdict != "passes" || len(one.DependsOn) != 1 || len(one.Criteria) == 0 || len(one.Findings) != 0 {
		t.Errorf("lint --json: %+v", one)
	}

	w.write("unfit.md", "# A thing\n\n## Goal\n\nNobody says when it is done.\n")
	a := w.want(4, "lint", "unfit.md")
	w.sentence(a)
	w.has("lint of an unfit one", a.out, "unfit.md:1: error:", "no-criteria", "refused")
	w.write("binary.md", "\x00")
	w.sentence(w.want(2, "lint", "binary.md"))
	w.sentence(w.want(2, "lint", "no-such-file.md"))
	w.sentence(w.want(2, "lint"))
}

func TestLintOfAFolderLooksBetweenDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := os.Mkdir(filepath.Join(w.dir, "PRPs"), 0o750); err != nil {
		t.Fatal(err)
	}
	w.doc("PRPs", "PRP-1", "PRP-2")
	w.doc("PRPs", "PRP-2", "PRP-1")
	w.doc("PRPs", "PRP-3", "PRP-7")
	w.write("PRPs/SUMMARY.md", "# Summary\n\n## Goal\n\nA page beside them.\n")
	a := w.want(4, "lint", "PRPs")
	w.has("lint of a folder", a.out, "PRP-1 -> PRP-2 -> PRP-1", "dependency-unknown", "no PRP", "refused", "passes")
	w.has("its sentence", a.errout, "2 of 4 documents would be refused")
	var all []struct{ File, Verdict string }
	w.decode(w.want(4, "lint", "PRPs", "--json").out, &all)
	if len(all) != 4 {
		t.Errorf("lint --json of a folder: %+v", all)
	}
	w.write("PRPs/binary.md", "\x00")
	w.has("lint with a file that cannot be read", w.want(2, "lint", "PRPs").out, "unreadable", "refused")
	if err := os.Mkdir(filepath.Join(w.dir, "empty"), 0o750); err != nil {
		t.Fatal(err)
	}
	w.sentence(w.want(2, "lint", "empty"))
}

func TestLintExplainsItsRulesAndGivesATemplate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.has("lint --explain", w.want(0, "lint", "--explain", "no-criteria").out, "no-criteria (error)", "## Success Criteria")
	w.has("lint --explain all", w.want(0, "lint", "--explain", "all").out, "gate-placeholder", "masked-exit-status", "dependency-unknown")
	w.sentence(w.want(2, "lint", "--explain", "no-such-rule"))
	w.sentence(w.want(2, "lint", "--template", "x.md"))
	w.sentence(w.want(2, "lint", "--json", "--sarif", "x.md"))
	w.write("PRP-1.md", w.want(0, "lint", "--template").out)
	w.want(0, "submit", "PRP-1.md")
}

func TestLintSpeaksSARIF(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write("PRPs/a.md", "# A thing\n\n## Goal\nx\n\n## Validation\n```bash\nmake test || true\n```\n")
	w.write("PRPs/b.md", "\x00")
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID, Level string
				Locations     []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
			}
		}
	}
	w.decode(w.want(2, "lint", "--sarif", "PRPs").out, &log)
	if log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) != 3 {
		t.Fatalf("%+v", log)
	}
	known := map[string]bool{}
	for _, r := range log.Runs[0].Tool.Driver.Rules {
		known[r.ID] = true
	}
	for i, want := range []string{"no-criteria error PRPs/a.md 1", "masked-exit-status warning PRPs/a.md 7", "unreadable error PRPs/b.md 1"} {
		r := log.Runs[0].Results[i]
		at := r.Locations[0].PhysicalLocation
		if got := fmt.Sprintf("%s %s %s %d", r.RuleID, r.Level, at.ArtifactLocation.URI, at.Region.StartLine); got != want || !known[r.RuleID] {
			t.Errorf("result %d is %s, want %s", i, got, want)
		}
	}
}
