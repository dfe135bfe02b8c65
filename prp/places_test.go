package prp

import (
	"strings"
	"testing"
)

// read is what a document is taken for, in one line.
func read(d Document) string {
	return strings.Join([]string{d.ID, d.Title, d.Priority, d.StatusRaw, strings.Join(d.DependsOn, " ")}, "|")
}

func TestFieldsAreFoundInAllTheirPlaces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"front matter without an opener":   {"name: \"From a name\"\ndescription: |\npriority: high\n\n## Goal\nx\n", "|From a name|P1||"},
		"it ends at a rule":                {"name: A name\nstatus: draft\n---\n**Priority**: P3\n## Goal\nx\n", "|A name|P3|draft|"},
		"it opens with a blank line":       {"\nname: A name\n\n## Goal\nx\n", "|A name|||"},
		"front matter between +++":         {"+++\ntitle = \"Plus\"\npriority: low\n  ## Purpose\n+++\n\n## Goal\nx\n", "|Plus|P3||"},
		"a YAML block under the title":     {"# T\n\n```yaml\n---\nid: Y-1\nstatus: todo\npriority: low\n---\n```\n\n## A\n", "Y-1|T|P3|todo|"},
		"a YAML block in a section is not": {"# T\n## A\n```yaml\nstatus: todo\n```\n", "|T|||"},
		"headings":                         {"# T\n## Task ID: P0-007\n## Wave: A\n## Priority: High\n## Depends on: PRP-1\n## A\n", "P0-007|T|P1||PRP-1"},
		"a list without bold":              {"# T\n- Priority: High\n- Status: new\nDepends on: PRP-2\n## A\n", "|T|P1|new|PRP-2"},
		"a run of pairs over two lines":    {"# T\n\n**Size** L · **Blocked by** [05](05-x.md) · **Touches**\n`a` · **Status** not yet\n\n## A\n", "|T||not yet|05-x"},
		"a key that ends in status":        {"# T\n**Project Status**: Design\n## A\n## B\n", "|T||Design|"},
		"status itself outranks it":        {"# T\n**Project Status**: Design\n**Status**: new\n## A\n", "|T||new|"},
		"metadata at the end":              {"# T\n## A\n## B\n## PRP Metadata\n- **Priority**: P2\n- **Dependencies**: PRP-9\n## C\nx\n", "|T|P2||PRP-9"},
		"the last lines":                   {"# T\n## A\n## B\nx\n\n---\n\n**PRP Status**: ready\n**Priority**: P0\n", "|T|P0|ready|"},
		"the header outranks them":         {"# T\n**Priority**: P3\n## A\n## B\nx\n\n**Priority**: P0\n", "|T|P3||"},
		"a PRP status in the middle":       {"# T\n## A\n## B\n**PRP Status**: done\n\n## C\nx\n", "|T||done|"},
		"a status in a report is a decoy":  {"# T\n## A\n## B\n**Status**: PASS\n\n## C\nx\n", "|T|||"},
		"Portuguese":                       {"# T\n**Prioridade**: P1\n**Dependências**: PRP-2\n## A\n", "|T|P1||PRP-2"},
		"Chinese":                          {"# T\n**优先级**：P2\n## A\n", "|T|P2||"},
	} {
		if got := read(parse(t, "x.md", c.text)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTitlesComeFromTheNextBestPlace(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"# Project Request Protocol (PRP)\n## Export it\n":     "Export it",
		"# PRP\n## Overview\n## The thing\n":                   "The thing",
		"## Goal\n## What to do for Ann\n":                     "What to do for Ann",
		"## Goal\n## Context\n":                                "my-file",
		"# Product Requirements Prompt (PRP) - A thing\n":      "A thing",
		"## A heading\n# The title\n":                          "The title",
		"---\nname: named\n---\n## A heading that is no title": "named",
	} {
		if d := parse(t, "my-file.md", in); d.Title != want {
			t.Errorf("%q: title %q, want %q", in, d.Title, want)
		}
	}
}

func TestSectionsNameDependencies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ section, want string }{
		"ids":              {"## Dependencies\n- P0-003 (the images) - must be done\n- PRP-7\n", "P0-003 PRP-7"},
		"packages":         {"## Dependencies\n- redis>=4.6.0\n- SHA-256, utf-8, gpt-4\n- platformio.ini\n- docs/README.md\n", ""},
		"only upstream":    {"## Dependencies\n### Upstream Dependencies\n- **P1.M1.T1.S1** (done): x\n### Downstream Dependencies\n- **P1.M2.T2.S1**: y\n", "P1.M1.T1.S1"},
		"what it blocks":   {"## Dependencies\n- PRP-1\n- Blocks: PRP-2\n**Related PRPs**\n- PRP-3\n", "PRP-1"},
		"siblings":         {"## Prerequisites\nsee [05](05-layer.md) and `PRP-3-limits.md`\n", "05-layer PRP-3-limits"},
		"fenced":           {"## Dependencies\n```\nPRP-1\n```\n", ""},
		"other sections":   {"## Notes\nPRP-1 is near\n", ""},
		"itself":           {"## Dependencies\nPRP-1 comes before PRP-77, which is this\n", "PRP-1"},
		"numbered heading": {"## 11. Dependencies\n- PRP-4\n", "PRP-4"},
	} {
		if d := parse(t, "PRP-77-x.md", "# T\n\n## Goal\n\n"+c.section); strings.Join(d.DependsOn, " ") != c.want {
			t.Errorf("%s: %q, want %q", name, d.DependsOn, c.want)
		}
	}
	if d := parse(t, "x.md", "# T\n**Dependencies**: None (it goes first)\n\n## Dependencies\n- PRP-1\n"); len(d.DependsOn) != 0 {
		t.Errorf("the header says none, but %q", d.DependsOn)
	}
}

func TestCriteriaAreWhatTheSectionHolds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"sections below":        {"## Acceptance Criteria\n- a\n### Universal\n- b\n### Definition of Ready\n- no\n### Performance\n- c\n", "Acceptance Criteria: a;Acceptance Criteria: b;Acceptance Criteria: c"},
		"a name of its own":     {"## Outcome Acceptance Criteria\n- a\n### Task Acceptance Criteria\n- b\n", "Outcome Acceptance Criteria: a;Task Acceptance Criteria: b"},
		"a shared heading":      {"## Goal & Success Criteria\n- no\n### Success Criteria\n- a\n", "Success Criteria: a"},
		"shared, alone":         {"## Goal & Success Criteria\n- a\n", "Goal & Success Criteria: a"},
		"rows":                  {"## Success Criteria\n| What | Target |\n|---|---|\n| fast | 1 ms |\n| small | |\n", "Success Criteria: fast | 1 ms;Success Criteria: small"},
		"lists before rows":     {"## Success Criteria\n- a\n\n| What | Target |\n|---|---|\n| fast | 1 ms |\n", "Success Criteria: a"},
		"metrics stand in":      {"## Success Metrics\n- a\n", "Success Metrics: a"},
		"but not beside others": {"## Success Metrics\n- no\n## Done when\n- a\n", "Done when: a"},
		"a final checklist":     {"## Final Validation Checklist\n- no\n## Acceptance criteria checklist (final state)\n- a\n", "Acceptance criteria checklist (final state): a"},
		"reports":               {"## Success Criteria - Final Status\n- no\n## Acceptance Criteria Met\n- no\n", ""},
		"Portuguese":            {"## Critérios de Sucesso\n- a\n", "Critérios de Sucesso: a"},
		"German":                {"## Akzeptanzkriterien\n- a\n", "Akzeptanzkriterien: a"},
		"Chinese":               {"## 成功標準\n- a\n### 验收标准\n- b\n", "成功標準: a;验收标准: b"},
	} {
		var got []string
		for _, c := range parse(t, "x.md", "# T\n"+c.text).Criteria {
			got = append(got, c.Source+": "+c.Text)
		}
		if strings.Join(got, ";") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestPagesBesidePRPsAreTold(t *testing.T) {
	t.Parallel()
	const thin = "## Goal\nx\n"
	for name, c := range map[string]struct {
		file, text string
		want       bool
	}{
		"summary":          {"CONFIG-SUMMARY.md", "# All of it\n" + thin, false},
		"overview":         {"x.md", "# Sprint 1 Overview\n" + thin, false},
		"dated":            {"GAP_ANALYSIS_2025-09-27.md", "# T\n" + thin, false},
		"gap":              {"x.md", "# Gap Analysis and What Follows\n" + thin, false},
		"by its type":      {"x.md", "# T\n```yaml\ntype: domain\n```\n" + thin, false},
		"with an id":       {"PRP-7-report.md", "# T\n" + thin, true},
		"whole":            {"a-guide.md", "# A Guide\n## Success Criteria\n- a\n## Validation\n```bash\nmake\n```\n", true},
		"a word within":    {"x.md", "# Report generator\n" + thin, true},
		"part of a word":   {"x.md", "# Psychoanalysis\n" + thin, true},
		"nothing of a PRP": {"x.md", "# T\n## Lunch\nx\n", false},
	} {
		if d := parse(t, c.file, c.text); d.LooksLikePRP != c.want {
			t.Errorf("%s: looks like a PRP: %v", name, d.LooksLikePRP)
		}
	}
}
