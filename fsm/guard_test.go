package fsm_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/prpflow/prpflow/fsm"
)

// guarded is the small lifecycle's edge "end" with these guards.
func guarded(t *testing.T, guards ...string) fsm.Edge {
	t.Helper()
	quoted := make([]string, len(guards))
	for i, g := range guards {
		b, err := json.Marshal(g)
		if err != nil {
			t.Fatal(err)
		}
		quoted[i] = string(b)
	}
	e, err := load(t, edit(t, small, "      - evidence.good", "      ["+strings.Join(quoted, ", ")+"]")).Next("work", "end", "")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestMissingEvidenceIsNamedForItsAuthor(t *testing.T) {
	t.Parallel()
	submit, err := fsm.Default().Next("development", "submit", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		evidence string // JSON, as agents report it
		missing  []string
	}{
		"all there":        {`{"tests_passed": true, "lint_clean": true, "coverage_pct": 80}`, nil},
		"more than asked":  {`{"tests_passed": true, "lint_clean": true, "coverage_pct": 99.5, "files": ["a"]}`, nil},
		"nothing":          {`null`, []string{"tests_passed (missing)", "lint_clean (missing)", "coverage_pct >= 80 (missing)"}},
		"too little":       {`{"tests_passed": true, "lint_clean": true, "coverage_pct": 70}`, []string{"coverage_pct >= 80 (is 70)"}},
		"almost":           {`{"tests_passed": true, "lint_clean": true, "coverage_pct": 79.99}`, []string{"coverage_pct >= 80 (is 79.99)"}},
		"said no":          {`{"tests_passed": false, "lint_clean": true, "coverage_pct": 90}`, []string{"tests_passed (is false)"}},
		"text for number":  {`{"tests_passed": true, "lint_clean": true, "coverage_pct": "91"}`, []string{`coverage_pct >= 80 (is the text "91")`}},
		"text for yes":     {`{"tests_passed": "true", "lint_clean": true, "coverage_pct": 90}`, []string{`tests_passed (is the text "true")`}},
		"number for yes":   {`{"tests_passed": 1, "lint_clean": true, "coverage_pct": 90}`, []string{"tests_passed (is 1)"}},
		"null":             {`{"tests_passed": null, "lint_clean": true, "coverage_pct": null}`, []string{"tests_passed (is null)", "coverage_pct >= 80 (is null)"}},
		"list":             {`{"tests_passed": [true], "lint_clean": true, "coverage_pct": 90}`, []string{"tests_passed (is [true])"}},
		"object":           {`{"tests_passed": true, "lint_clean": true, "coverage_pct": {"go": 91}}`, []string{`coverage_pct >= 80 (is {"go":91})`}},
		"yes for a number": {`{"tests_passed": true, "lint_clean": true, "coverage_pct": true}`, []string{"coverage_pct >= 80 (is true)"}},
		"a novel":          {`{"tests_passed": true, "lint_clean": true, "coverage_pct": "` + strings.Repeat("ä", 200) + `"}`, []string{`coverage_pct >= 80 (is the text "` + strings.Repeat("ä", 79) + `…)`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f fsm.Facts
			if err := json.Unmarshal([]byte(c.evidence), &f.Evidence); err != nil {
				t.Fatal(err)
			}
			missing, err := submit.Check(f)
			if diff := cmp.Diff(c.missing, missing); err != nil || diff != "" {
				t.Errorf("error %v, %s", err, diff)
			}
		})
	}
}

func TestRefusedGuardShowsAllThatItLooksAt(t *testing.T) {
	t.Parallel()
	facts := fsm.Facts{
		PRP:      map[string]any{"priority": "P0", "fit": false},
		Evidence: map[string]any{"a": 1, "deep": map[string]any{"er": 2}, "odd": math.Inf(1)},
		Attempt:  4,
	}
	for guard, want := range map[string]string{
		"prp.fit":                                "prp.fit (is false)",
		"prp.unblocked":                          "prp.unblocked (missing)",
		"attempt < 3":                            "attempt < 3 (is 4)",
		"1 > 2":                                  "1 > 2",
		"evidence.a > evidence.b":                "a > b (a is 1, b missing)",
		"evidence.a > 2 and evidence.a < 5":      "a > 2 and a < 5 (is 1)",
		"evidence.a > 2 or prp.priority != 'P0'": `a > 2 or prp.priority != 'P0' (a is 1, prp.priority is the text "P0")`,
		"evidence.deep.er == 3":                  "deep.er == 3 (is 2)",
		"evidence.deep.est == 3":                 "deep.est == 3 (missing)",
		"evidence.a.b.c == 3":                    "a.b.c == 3 (missing)",
		"evidence?.deep?.er > 2":                 "evidence?.deep?.er > 2 (is 2)",
		"evidence['a'] == 2":                     "evidence['a'] == 2 (is 1)",
		"len(evidence.a) == 1":                   "len(a) == 1 (is 1)",
		"let n = evidence.a; n > 1":              "let n = a; n > 1 (is 1)",
		"evidence.odd < 1":                       "odd < 1 (is +Inf)",
		"evidence.a\n  > 1":                      "a > 1 (is 1)",
		"evidence.list[0].ok":                    "list[0].ok (missing)",
	} {
		missing, err := guarded(t, guard).Check(facts)
		if diff := cmp.Diff([]string{want}, missing); err != nil || diff != "" {
			t.Errorf("%s: error %v, %s", guard, err, diff)
		}
	}
}

func TestGuardsSeePRPEvidenceAndAttempt(t *testing.T) {
	t.Parallel()
	e := guarded(t, "prp.priority == 'P0' and evidence.reviewers contains 'ann'", "attempt < 3", "len(evidence.files) > 1")
	missing, err := e.Check(fsm.Facts{
		PRP:      map[string]any{"priority": "P0"},
		Evidence: map[string]any{"reviewers": "bob and ann", "files": []any{"a", "b"}},
		Attempt:  2,
	})
	if err != nil || len(missing) > 0 {
		t.Errorf("%v, %v", missing, err)
	}
	if missing, err := guarded(t, "true").Check(fsm.Facts{}); err != nil || len(missing) > 0 {
		t.Errorf("%v, %v", missing, err)
	}
}

// Evidence is whatever a model wrote: nothing in it may stop the engine, and
// only the right values open the edge.
func TestNoEvidenceBreaksAGuard(t *testing.T) {
	t.Parallel()
	submit, err := fsm.Default().Next("development", "submit", "")
	if err != nil {
		t.Fatal(err)
	}
	value := rapid.OneOf(
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Float64().AsAny(), rapid.String().AsAny(), rapid.Int().AsAny(),
		rapid.SliceOfN(rapid.String(), 0, 3).AsAny(), rapid.MapOfN(rapid.String(), rapid.Bool(), 0, 3).AsAny(),
	)
	rapid.Check(t, func(t *rapid.T) {
		evidence := rapid.MapOf(rapid.SampledFrom([]string{"tests_passed", "lint_clean", "coverage_pct", "other"}), value).Draw(t, "evidence")
		missing, err := submit.Check(fsm.Facts{Evidence: evidence})
		if err != nil {
			t.Fatal(err)
		}
		enough := false
		switch c := evidence["coverage_pct"].(type) {
		case float64:
			enough = c >= 80
		case int:
			enough = c >= 80
		}
		holds := evidence["tests_passed"] == true && evidence["lint_clean"] == true && enough
		if holds != (len(missing) == 0) {
			t.Fatalf("missing is %q", missing)
		}
	})
}

// An edge that was put together by hand must not pass for one without guards.
func TestGuardsThatWereNotCompiledAreAnError(t *testing.T) {
	t.Parallel()
	if _, err := (fsm.Edge{Event: "end", From: "work", Guards: []string{"evidence.good"}}).Check(fsm.Facts{}); err == nil {
		t.Error("the edge is open")
	}
}
