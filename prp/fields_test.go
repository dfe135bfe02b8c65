package prp

import (
	"slices"
	"strings"
	"testing"
)

func TestFrontMatterComesBeforeTheHeader(t *testing.T) {
	t.Parallel()
	d := parse(t, "PRP-3-x.md", "---\nid: PRP-1\nstatus: ready\n---\n# PRP-4 - T\n**PRP ID**: PRP-2\n**Status**: done\n**Repo**: `../service`\n")
	if d.ID != "PRP-1" || d.Status != "ready" || d.Repo != "../service" || d.Title != "T" {
		t.Errorf("%+v", d)
	}
}

func TestScalarsAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"prp_id: 46.1": "46.1", "prp_id: 007": "007", "id: 1e3": "1e3", "id: 'PRP-7'": "PRP-7", "PRP-ID: \"A.1\" # why": "A.1", "id: !!str 46.10": "46.10",
		"id: &a X-1": "X-1", "id: |\n  X-2": "X-2", "id: true": "true", "\"id\": X-3": "X-3", "id: PRP-C": "PRP-C", "id: PRP 03": "PRP-03",
		"id: PRP-7 (was P0-034)": "PRP-7", "id: TBD": "", "id: tbd later": "", "id: *a": "", "id: n/a": "", "id: ..": "", "id: a/b": "", "id: [a, b]": "",
		"# note\n\nid: X-4": "X-4", "id: X-5\nid: X-6": "X-5", "other: {a: [b\nid: X-7": "X-7",
	} {
		if d := parse(t, "x.md", "---\n"+in+"\n---\n# T\n"); d.ID != want {
			t.Errorf("%q gives the id %q, want %q", in, d.ID, want)
		}
	}
}

func TestWhatCannotBeReadIsWarnedOfAndSpoilsNothingElse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		rule string
		line int
	}{
		"title: [a":   {"front-matter", 2},
		"title: a: b": {"front-matter", 2},
		"- a list":    {"front-matter", 2},
		"title: " + strings.Repeat("x", maxField):     {"front-matter", 2},
		"title: " + strings.Repeat("[", maxNesting+1): {"front-matter", 2},
		"prp_id: a/b":        {"id-unusable", 2},
		"priority: some day": {"priority-unknown", 2},
	} {
		d := parse(t, "x.md", "---\n"+in+"\nstatus: ready\n---\n# T\n")
		if d.Status != "ready" && want.rule != "front-matter" || d.Title != "T" {
			t.Errorf("%.20q: %+v", in, d)
		}
		if len(d.Warnings) != 1 || d.Warnings[0].Rule != want.rule || d.Warnings[0].Line != want.line || d.Warnings[0].Error || d.Warnings[0].Mend == "" {
			t.Errorf("%.20q: warnings %+v", in, d.Warnings)
		}
	}
	d := parse(t, "x.md", "---\ntitle: [a\nstatus: ready\n---\n# T\n")
	if d.Status != "ready" {
		t.Errorf("a broken field takes the next one with it: %+v", d)
	}
}

func TestValuesAreOnePrintableLine(t *testing.T) {
	t.Parallel()
	d := parse(t, "x.md", "---\nname: \"a\\e[31m\\0b\\nc\"\nstatus: |\n  two\n  lines\n---\n## Goal\n")
	if d.Title != "a [31m b c" || d.StatusRaw != "two lines" {
		t.Errorf("title %q, status %q", d.Title, d.StatusRaw)
	}
}

func TestDependenciesAreNeverPackages(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"**Dependencies**: None (builds on PRP-1)":                                  "",
		"**Dependencies**: nothing":                                                 "",
		"**Dependencies**: redis>=4.6.0, log4j-2.17, python3.11, go1.26, node-18":   "",
		"**Dependencies**: UTF-8 and SHA-256 by RFC-2119":                           "",
		"**Requires**: PRP-29.1 must be done (gives tool-2.1), then [05](05-x.md).": "PRP-29.1 05-x",
		"**Depends on**: PRP 2.3 (Babylon.js), P0-021, P1.M2.T1, ../a/b.md":         "PRP-2.3 P0-021 P1.M2.T1 b",
		"**Dependencies**: redis\n**Blocked by**: PRP-4, PRP-4":                     "PRP-4",
		"**Dependencies**: [\"PRP-1\", onboarding-infra, redis]":                    "PRP-1 onboarding-infra",
		"**Depends on**: [onboarding, c.md]":                                        "onboarding c",
		"**Dependencies**:\n- PRP-6: the other\n- none\n\n- PRP-7":                  "PRP-6",
		"| Dependencies | PRP-8 |":                                                  "PRP-8",
		"**Related PRPs**: PRP-9\n**Blocks**: PRP-10":                               "",
	} {
		if d := parse(t, "x.md", "# T\n"+in+"\n"); strings.Join(d.DependsOn, " ") != want {
			t.Errorf("%q: %q, want %q", in, d.DependsOn, want)
		}
	}
	for in, want := range map[string]string{
		"depends_on: [46.1.1, 'PRP-2']":                         "46.1.1 PRP-2",
		"depends: infra":                                        "",
		"depends:\n- infra\n- PRP-3: why\n- [PRP-4]":            "infra PRP-3 PRP-4",
		"depends:\n- {PRP-5: why, PRP-6: too}":                  "PRP-5 PRP-6",
		"dependencies: [redis, 'pydantic>=2', HTTP-2, b-infra]": "b-infra",
		"dependencies: []":                                      "", "dependencies: null": "", "dependencies: PRP-34.1.1": "PRP-34.1.1",
	} {
		if d := parse(t, "x.md", "---\n"+in+"\n---\n# T\n"); strings.Join(d.DependsOn, " ") != want {
			t.Errorf("%q: %q, want %q", in, d.DependsOn, want)
		}
	}
}

func TestIdsAreTakenFromNamesButNotFromDatesAndStandards(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"PRP-34.2.5-x.md": "PRP-34.2.5", "PRP-P0-006-x.md": "PRP-P0-006", "P0-021-x.md": "P0-021", "P1.M2.T2.S1_PRP.md": "P1.M2.T2.S1", "TASK-12_x.md": "TASK-12",
		"issue-488.md": "issue-488", "PRP 7. Thing.md": "PRP-7", "05-x.md": "PRP-05", "1.2-x.md": "PRP-1.2",
		"2025-08-13-x.md": "", "UTF-8-x.md": "", "SPRINT-1-x.md": "", "phase-2.md": "", "x.md": "", "12345-x.md": "", "PRP-" + strings.Repeat("1", 200) + ".md": "",
	} {
		if d := parse(t, in, "# T\nsee PRP-99\n"); d.ID != want {
			t.Errorf("%q gives the id %q, want %q", in, d.ID, want)
		}
	}
}

func TestTitlesLoseTheirPrefixesAndNothingElse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct{ id, title string }{
		"PRP-7 — Title":   {"PRP-7", "Title"},
		"PRP 03: Title":   {"PRP-03", "Title"},
		"PRP-7. Title":    {"PRP-7", "Title"},
		"P0-021 Title":    {"P0-021", "Title"},
		"TASK-12: Title":  {"TASK-12", "Title"},
		"TASK-12 Title":   {"", "TASK-12 Title"},
		"UTF-8: anywhere": {"", "UTF-8: anywhere"},
		"Top-10 lists":    {"", "Top-10 lists"},
		"✅ [READY] Product Requirements Prompt (PRP): Feature: Title": {"", "Title"},
		"**Title**":                       {"", "Title"},
		"`greet` and `part`":              {"", "`greet` and `part`"},
		"+1 for a title":                  {"", "+1 for a title"},
		"Phase 3: _all_ of it":            {"", "Phase 3: _all_ of it"},
		"From C to C#":                    {"", "From C to C#"},
		"Closed ##":                       {"", "Closed"},
		"PRP-" + strings.Repeat("1", 200): {"", strings.Repeat("1", 200)},
	} {
		if d := parse(t, "x.md", "# "+in+"\n"); d.ID != want.id || d.Title != want.title {
			t.Errorf("%q: id %q, title %q", in, d.ID, d.Title)
		}
	}
	if d := parse(t, "x.md", "Below a line\n=====\n\nTwo\n---\n**Priority**: P1\n"); d.Title != "Below a line" || d.Priority != "P1" {
		t.Errorf("underlined titles: %+v", d)
	}
	if d := parse(t, "x.md", "# PRP-5\n## Goal\n"); d.Title != "x" || d.ID != "PRP-5" || d.Fit() {
		t.Errorf("a title of an id alone: %+v", d)
	}
	if d := parse(t, "x.md", "a\nnot above\n---\n**Status**: x\n---\n- item\n===\n"); slices.ContainsFunc(d.Lint(), func(f Finding) bool { return f.Rule == "no-title" }) == false {
		t.Errorf("rules are taken for titles: %+v", d)
	}
}
