package fsm_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/prpflow/prpflow/fsm"
)

// guardError is what loading says about a guard of the small lifecycle, "" if it
// loads.
func guardError(t *testing.T, guard string) string {
	t.Helper()
	quoted, err := json.Marshal(guard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = fsm.Parse("f", []byte(edit(t, small, "evidence.good", string(quoted)))); err == nil {
		return ""
	}
	_, why, found := strings.Cut(err.Error(), "f:19: the guard "+strconv.Quote(guard)+" does not compile: ")
	if !found {
		t.Errorf("%s: it says %v", guard, err)
	}
	return why
}

// Evidence has no types, so the compiler takes the sum of two for a boolean.
func TestGuardThatCannotBeTrueOrFalseIsRefused(t *testing.T) {
	t.Parallel()
	for guard, got := range map[string]string{
		"evidence.x + 1":                               "the result of +",
		"evidence.x + evidence.y":                      "the result of +",
		"evidence.name + 'x'":                          "the result of +",
		"evidence.x - 1":                               "the result of -",
		"evidence.x * prp.revision":                    "the result of *",
		"evidence.x / 2":                               "float64",
		"evidence.x % 2":                               "int",
		"-evidence.x":                                  "the result of -",
		"(evidence.x + 1)":                             "the result of +",
		"sum(evidence.list)":                           "the result of sum",
		"evidence.list | max()":                        "the result of max",
		"reduce(evidence.list, #acc + #)":              "the result of +",
		"evidence.list[1:2]":                           "a part of a list or a text",
		"len(evidence.list)":                           "int",
		"evidence.ok; evidence.x + 1":                  "the result of +",
		"evidence?.x + 1":                              "the result of +",
		"evidence":                                     "map[string]interface {}",
		"prp.title":                                    "string",
		"not (evidence.x + 1)":                         "the result of +",
		"prp.fit and evidence.x + 1":                   "the result of +",
		"evidence.x * 2 or prp.fit":                    "the result of *",
		"evidence.x ?? 0":                              "0",
		"evidence.x ? evidence.y : 'no'":               `"no"`,
		"evidence.x + 1 ? true : false":                "the result of +",
		"prp.fit ? evidence.y : evidence.z + 1":        "the result of +",
		"let n = evidence.a + 1; n":                    "the result of +",
		"let n = evidence.a + 1; let m = n; not m":     "the result of +",
		"let n = 1; let n2 = evidence.ok; n + n2":      "the result of +",
		"if evidence.x { evidence.y } else { [true] }": "[true]",
	} {
		if says, want := guardError(t, guard), "expected bool, but got "+got; says != want {
			t.Errorf("%s: it says %q, want %q", guard, says, want)
		}
	}
}

func TestGuardOverEvidenceIsFree(t *testing.T) {
	t.Parallel()
	for _, guard := range []string{
		"evidence.x", "evidence.x.y[0].z", "evidence['x']", "evidence?.x?.y", "not evidence.x", "!evidence.x",
		"evidence.x + 1 > evidence.y * 2", "evidence.x ?? false", "evidence.x ? evidence.y : prp.fit",
		"let n = evidence.a + 1; n > 3", "let ok = evidence.a; ok", "all(evidence.list, # > 1)", "first(evidence.list)",
		"find(evidence.list, .ok).ok", "reduce(evidence.list, #acc and #.ok, true)", "get(evidence, 'x')", "'x' in evidence",
		"evidence.x in [1, 2]", "evidence.name matches '^a'", "prp.id in evidence.reviewed", "evidence[prp.priority]",
		"prp.fit", "prp['fit']", "prp?.fit", "get(prp, 'fit')", "prp.revision > 1", "prp.priority in ['P0', 'P1']",
		"attempt < 3", "true",
	} {
		if says := guardError(t, guard); says != "" {
			t.Errorf("%s: %s", guard, says)
		}
	}
}

func TestGuardOverAnUnknownFactOfThePRPIsRefused(t *testing.T) {
	t.Parallel()
	const want = "unknown field aproved: prp has id, title, state, priority, repo, revision, fit, unblocked"
	for _, guard := range []string{
		"prp.aproved", "prp['aproved']", `prp["aproved"]`, "prp?.aproved", "not prp.aproved", "prp.fit or prp.aproved",
		"let p = prp; p.aproved", "$env.prp.aproved", "get(prp, 'aproved')", "'aproved' in prp",
		"evidence.ok and prp.aproved == evidence.by",
	} {
		if says := guardError(t, guard); says != want {
			t.Errorf("%s: it says %q", guard, says)
		}
	}
}

func TestFactOfThePRPHasItsType(t *testing.T) {
	t.Parallel()
	for guard, want := range map[string]string{
		"prp.revision > 'a'": "invalid operation: > (mismatched types int and string)",
		"prp.fit == 'yes'":   "invalid operation: == (mismatched types bool and string)",
		"prp.priority < 2":   "invalid operation: < (mismatched types string and int)",
		"prp.repo.name":      "type string has no field name",
		"prp.fit and prp.id": "invalid operation: and (mismatched types bool and string)",
	} {
		if says := guardError(t, guard); says != want {
			t.Errorf("%s: it says %q", guard, says)
		}
	}
}

// The engine gives guards these facts, and a lifecycle can rely on them.
func TestFactsOfThePRPAreNamed(t *testing.T) {
	t.Parallel()
	want := map[string]reflect.Kind{
		"id": reflect.String, "title": reflect.String, "state": reflect.String, "priority": reflect.String, "repo": reflect.String,
		"revision": reflect.Int, "fit": reflect.Bool, "unblocked": reflect.Bool,
	}
	got := fsm.PRPFacts()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	clear(got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(fsm.PRPFacts()))); diff != "" {
		t.Error(diff)
	}
}
