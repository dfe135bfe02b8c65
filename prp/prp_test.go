package prp

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func parse(t *testing.T, name, text string) Document {
	t.Helper()
	d, err := Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const whole = `# PRP-7 - A queue for letters
**Priority**: P1
**Status**: Not Started
**Dependencies**: PRP-3, PRP-4

## Goal & Success Criteria
Letters are not lost.

### Success Criteria
1. A letter arrives once
2. A letter that nobody takes
   comes back
   - after a day
   - or sooner

## Acceptance Criteria
- [ ] It is tested
- [x] It is documented

## Validation Loop
### Level 1: Syntax
` + "```bash" + `
# first
go vet ./... && \
  go test ./...
$ make lint
` + "```" + `
### Level 2: Tests
` + "```python" + `
def test(): pass
` + "```" + `
` + "```sh" + `
pytest {test_file}
` + "```" + `
`

func TestAWellFormedDocumentIsReadWhole(t *testing.T) {
	t.Parallel()
	d := parse(t, "PRP-7-letters.md", whole)
	if d.ID != "PRP-7" || d.Title != "A queue for letters" || d.Priority != "P1" || d.Status != "new" || d.StatusRaw != "Not Started" || !slices.Equal(d.DependsOn, []string{"PRP-3", "PRP-4"}) {
		t.Errorf("header: %+v", d)
	}
	if len(d.Criteria) != 4 || d.Criteria[1].Text != "A letter that nobody takes comes back" || len(d.Criteria[1].Items) != 2 || !d.Criteria[3].Done || d.Criteria[2].Done {
		t.Errorf("criteria: %+v", d.Criteria)
	}
	if d.Criteria[0].Source != "Success Criteria" || d.Criteria[2].Source != "Acceptance Criteria" || d.Criteria[0].Line != 10 {
		t.Errorf("criteria come from %+v", d.Criteria)
	}
	if len(d.Gates) != 2 || d.Gates[0].Level != 1 || !slices.Equal(d.Gates[0].Commands, []string{"go vet ./... && go test ./...", "make lint"}) || d.Gates[0].HasPlaceholder {
		t.Errorf("gates: %+v", d.Gates)
	}
	if d.Gates[1].Level != 2 || !d.Gates[1].HasPlaceholder || d.Gates[1].Lang != "sh" {
		t.Errorf("second gate: %+v", d.Gates[1])
	}
	if !d.Fit() || !d.LooksLikePRP || len(d.SHA256) != 64 || len(d.Warnings) != 0 {
		t.Errorf("fit %v, findings %+v", d.Fit(), d.Lint())
	}
}

func TestLineEndingsAndMarksDoNotMatter(t *testing.T) {
	t.Parallel()
	want := parse(t, "x.md", whole)
	for name, text := range map[string]string{
		"CRLF": strings.ReplaceAll(whole, "\n", "\r\n"), "BOM": "\xef\xbb\xbf" + whole, "CR": strings.ReplaceAll(whole, "\n", "\r"),
		"NBSP": strings.ReplaceAll(whole, "# PRP", "#\u00a0PRP"),
	} {
		got := parse(t, "x.md", text)
		got.SHA256 = want.SHA256
		samePlaces(&got, &want)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// samePlaces makes the one stand where the other does.
func samePlaces(got, want *Document) {
	got.Spans = want.Spans
	for i := range min(len(got.Criteria), len(want.Criteria)) {
		got.Criteria[i].Span = want.Criteria[i].Span
		for j := range min(len(got.Criteria[i].Items), len(want.Criteria[i].Items)) {
			got.Criteria[i].Items[j].Span = want.Criteria[i].Items[j].Span
		}
	}
	for i := range min(len(got.Gates), len(want.Gates)) {
		got.Gates[i].Span = want.Gates[i].Span
	}
}

// What was read is found again in the bytes that were given, whatever ends the
// lines.
func TestEverythingCarriesItsPlace(t *testing.T) {
	t.Parallel()
	lf := "---\nrepo: ../service\n---\n" + whole
	for name, text := range map[string]string{"LF": lf, "CRLF": strings.ReplaceAll(lf, "\n", "\r\n"), "CR": strings.ReplaceAll(lf, "\n", "\r"), "BOM": "\xef\xbb\xbf" + lf} {
		d := parse(t, "x.md", text)
		at := func(s Span) string {
			return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text[s.Start:s.End])
		}
		for what, c := range map[string]struct {
			span Span
			want string
		}{
			"title": {d.Spans.Title, "# PRP-7 - A queue for letters"}, "priority": {d.Spans.Priority, "**Priority**: P1"}, "status": {d.Spans.Status, "**Status**: Not Started"},
			"dependencies": {d.Spans.DependsOn, "**Dependencies**: PRP-3, PRP-4"}, "repo": {d.Spans.Repo, "repo: ../service"}, "id": {d.Spans.ID, ""},
			"a criterion":      {d.Criteria[0].Span, "1. A letter arrives once"},
			"with its items":   {d.Criteria[1].Span, "2. A letter that nobody takes\n   comes back\n   - after a day\n   - or sooner"},
			"an item":          {d.Criteria[1].Items[0].Span, "   - after a day"},
			"the last of them": {d.Criteria[3].Span, "- [x] It is documented"},
			"a gate":           {d.Gates[1].Span, "```sh\npytest {test_file}\n```"},
		} {
			if got := at(c.span); got != c.want {
				t.Errorf("%s, %s: %q, want %q", name, what, got, c.want)
			}
		}
	}
}

func TestHeadersAreReadWhereverTheyStand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, text, id, title, priority, deps string }{
		"front matter": {"x.md", "---\nprp_id: 46.1\ntitle: From above\npriority: High\ndepends_on: [PRP-1, b.md]\n---\n## Goal\n", "46.1", "From above", "P1", "PRP-1 b"},
		"list":         {"x.md", "---\nid: A-1\ndependencies:\n  - \"PRP-2: the other\"\n  - PRP-3\n---\n# T\n", "A-1", "T", "", "PRP-2 PRP-3"},
		"one key":      {"x.md", "---\npriority: critical\n---\n# T\n", "", "T", "P0", ""},
		"list lines":   {"x.md", "# T\n- **Priority**: Low\n> **Dependencies**: PRP-8\n", "", "T", "P3", "PRP-8"},
		"table":        {"x.md", "# T\n| **PRP ID** | PRP-002 |\n|---|---|\n| Priority | `P2` |\n", "PRP-002", "T", "P2", ""},
		"file name":    {"PRPs/PRP-12-thing.md", "# PRP: Thing\n", "PRP-12", "Thing", "", ""},
		"number":       {"007-bond.md", "# Bond\n", "PRP-007", "Bond", "", ""},
		"title":        {"x.md", "# PRP-9: Nine\n", "PRP-9", "Nine", "", ""},
		"tag":          {"x.md", "# [IN-PROGRESS] Ten\n", "", "Ten", "", ""},
		"number wins":  {"x.md", "# T\n**Priority**: High (P2)\n", "", "T", "P2", ""},
		"packages":     {"x.md", "# T\n**Dependencies**: redis>=4.6.0, Python 3.11+, UV\n", "", "T", "", ""},
		"none":         {"x.md", "# T\n**Dependencies**: None - this goes first\n**PRP ID**: TBD\n", "", "T", "", ""},
		"decoy":        {"x.md", "# T\n## A\n## B\n**Priority**: P0\n**Dependencies**: PRP-1\n\nSo much for B.\n", "", "T", "", ""},
		"slug":         {"x.md", "# T\n**Depends on**: PRP-001-onboarding-infra, PRP-34.2.5\n", "", "T", "", "PRP-001-onboarding-infra PRP-34.2.5"},
		"no yaml":      {"x.md", "---\n: [\n---\n# T\n", "", "T", "", ""},
		"open matter":  {"x.md", "---\nid: X-1\n# T\n", "X-1", "T", "", ""},
		"null":         {"x.md", "---\nid: ~\npriority:\nrepo: ../service\ndescription: |\n  text\n---\n# T\n", "", "T", "", ""},
	} {
		d := parse(t, c.file, c.text)
		if d.ID != c.id || d.Title != c.title || d.Priority != c.priority || strings.Join(d.DependsOn, " ") != c.deps {
			t.Errorf("%s: id %q, title %q, priority %q, deps %q", name, d.ID, d.Title, d.Priority, d.DependsOn)
		}
	}
}

func TestFencesHideWhatIsInThem(t *testing.T) {
	t.Parallel()
	d := parse(t, "x.md", "# T\n~~~~markdown\n## Success Criteria\n- [ ] quoted\n```\n~~~\n~~~~\n## Success Criteria\n- [ ] mine\n<!-- - [ ] hidden -->\n```bash\nunclosed\n")
	if len(d.Criteria) != 1 || d.Criteria[0].Text != "mine" {
		t.Errorf("criteria %+v", d.Criteria)
	}
	if len(d.Warnings) != 1 || d.Warnings[0].Rule != "fence-unclosed" || d.Warnings[0].Line != 11 {
		t.Errorf("warnings %+v", d.Warnings)
	}
}

func TestOtherListsAreNoCriteria(t *testing.T) {
	t.Parallel()
	d := parse(t, "x.md", "# T\n## Final Validation Checklist\n- [ ] no\n## Acceptance Criteria Status\n- [x] no\n**Acceptance Criteria:**\n* yes\n\n## Notes\n- no\n")
	if len(d.Criteria) != 1 || d.Criteria[0].Text != "yes" {
		t.Errorf("criteria %+v", d.Criteria)
	}
}

func TestGatesNeedAHeadingAndACommand(t *testing.T) {
	t.Parallel()
	d := parse(t, "x.md", "# Validation of things\n```bash\nno heading says so\n```\n## Setup\n```bash\nnpm i\n```\n## Validation\n```bash\n# only a comment\n```\n```text\nno\n```\n### Deep\n```\nyes\n```\n")
	if len(d.Gates) != 1 || d.Gates[0].Raw != "yes" || d.Gates[0].Name != "Deep" {
		t.Errorf("gates %+v", d.Gates)
	}
}

func TestTheStrictRulesAreErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		rules string
	}{
		"no criterion": {"# T\n## Goal\nx\n", "no-criteria"},
		"no title":     {"## Success Criteria\n- a\n", "no-title"},
		"not a PRP":    {"just some words\n", "not-a-prp no-title no-criteria"},
	} {
		d := parse(t, "x.md", c.text)
		var rules []string
		for _, f := range d.Lint() {
			if f.Error {
				rules = append(rules, f.Rule)
			}
			if f.Mend == "" || f.Message == "" {
				t.Errorf("%s: %s does not say what to do", name, f.Rule)
			}
		}
		if d.Fit() || strings.Join(rules, " ") != c.rules {
			t.Errorf("%s: %v", name, rules)
		}
	}
}

func TestWhatIsNoTextIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"NUL": {"# T\x00", ErrNotText}, "latin-1": {"# \xe4", ErrNotText}, "UTF-16": {"\xff\xfe#\x00", ErrNotText},
		"empty": {"", ErrEmpty}, "blank": {" \n\t\n", ErrEmpty}, "BOM alone": {"\xef\xbb\xbf\n", ErrEmpty},
		"large": {strings.Repeat("a", MaxSize+1), ErrTooLarge},
	} {
		_, err := Parse("x.md", []byte(c.text))
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), "x.md") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSlugsAreIds(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"PRPs/My Feature (v2).md": "my-feature-v2", "ü.md": "prp-607474ca", "ö.md": "prp-6dbd11fd", "---.md": "prp", "a/b.c.md": "b.c", "[COMPLETED] x.md": "completed-x",
		strings.Repeat("x", 300) + ".md": strings.Repeat("x", 100),
	} {
		got := Slug(in)
		if got != want || CheckID(got) != nil {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	for _, bad := range []string{"", "a b", "a/b", "ü", strings.Repeat("x", 129), "a\nb"} {
		if CheckID(bad) == nil {
			t.Errorf("%q is accepted as an id", bad)
		}
	}
}

// The work grows with the text, not with its square: a text ten times as long
// must not take a hundred times as long.
func TestHardTextsTakeNoLongerThanTheirLength(t *testing.T) {
	t.Parallel()
	for name, unit := range map[string]string{
		"headings": "# x\n", "criteria": "## Success Criteria\n- a\n", "fences": "```\n", "nested": "> - - ```\n", "quotes": ">>>> ", "open comments": "<!-- ", "stars": "**", "one line": "a",
	} {
		took := func(size int) time.Duration {
			text := []byte(strings.Repeat(unit, size/len(unit)))
			best := time.Hour
			for range 3 {
				start := time.Now()
				if _, err := Parse("x.md", text); err != nil {
					t.Fatal(err)
				}
				best = min(best, time.Since(start))
			}
			return best
		}
		small, large := took(20_000), took(200_000)
		if large > 40*small+50*time.Millisecond {
			t.Errorf("%s: %s for 20 kB, %s for 200 kB", name, small, large)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		whole, "---\nid: b\n---\n# T", "# T\n```\n", "<!--\n-->", "| a | b |", "**P**: x", "\xef\xbb\xbf# PRP-1",
		"---\ntitle: \"\\xff\\ud800\\0\"\ndepends_on:\n- {a: [b]}\n---\nT\n===\n", "# T\n## DoD\n- a\n  - b\nc\n**Gate 1**\n~~~\nx \\\n",
	} {
		f.Add("PRP-1.md", s)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		if len(text) > 64<<10 { // longer ones are tested by name
			return
		}
		start := time.Now()
		d, err := Parse(name, []byte(text))
		// A second per 16 KiB is a thousand times what it takes, and far below
		// what going over the lines again and again takes.
		if took, bound := time.Since(start), 2*time.Second+time.Duration(len(text)>>14)*time.Second; took > bound {
			t.Errorf("%d bytes took %s", len(text), took)
		}
		if err != nil {
			return
		}
		checkUTF8(t, reflect.ValueOf(d))
		if d.ID != "" && CheckID(d.ID) != nil {
			t.Errorf("id %q", d.ID)
		}
		if CheckID(Slug(name)) != nil {
			t.Errorf("slug %q of %q", Slug(name), name)
		}
		if d.Fit() && (d.Title == "" || len(d.Criteria) == 0) {
			t.Errorf("fit without a title or a criterion: %+v", d)
		}
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 1
		for _, c := range d.Criteria {
			if c.Line < 1 || c.Line > lines {
				t.Errorf("criterion in line %d of %d", c.Line, lines)
			}
			if c.Span.Start < 0 || c.Span.Start >= c.Span.End || c.Span.End > len(text) {
				t.Errorf("criterion at %v of %d", c.Span, len(text))
			}
		}
	})
}

// checkUTF8 looks at every text of a result.
func checkUTF8(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			t.Errorf("%q is not UTF-8", v.String())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			checkUTF8(t, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			checkUTF8(t, v.Index(i))
		}
	}
}
