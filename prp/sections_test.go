package prp

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func texts(all []Criterion) string {
	var out []string
	for _, c := range all {
		s := c.Text
		if len(c.Items) > 0 {
			s += "(" + texts(c.Items) + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, "|")
}

func TestItemsKeepAllTheirLinesAndNoOthers(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"- a\nwraps here\n- b":                      "a wraps here|b",
		"- a\n\n  second part\n\nprose\nmore prose": "a second part",
		"1. a\n2) b\n10. c\n1234. d":                "a|b|c 1234. d",
		"* a\n\t* b\n\t  goes on\n+ c":              "a(b goes on)|c",
		"- [ ] a\n  - [x] b\n  - c":                 "a(b|c)",
		"- [ ]\n- [x] \n- a":                        "a",
		"- [x](y) is a link":                        "[x](y) is a link",
		"- a\n***\n* * *\n- b":                      "a|b",
		"- a\n| b | c |\n> d":                       "a",
		"- a\n  ```sh\n  - b\n  ```\n- c":           "a|c",
		"- a\n    ```sh\n    - b\n    ```\n- c":     "a|c",
		"- ```\n  - b\n  ```\n- c":                  "c",
		"- a <!-- b --> c\n<!--\n- d\n-->\n- e":     "a c|e",
		"- a `<!--` b\n- c -->":                     "a `<!--` b|c -->",
		"- a <!-- b\n- c":                           "a <!-- b|c",
		"- a\n### Below\n- b\n**Bold:**\n- c":       "a|b|c",
	} {
		d := parse(t, "x.md", "# T\n## 2.3 ✅ Acceptance criteria:\n"+in+"\n## Next\n- no\n")
		if got := strings.Join(strings.Fields(texts(d.Criteria)), " "); got != want {
			t.Errorf("%q:\n got %s\nwant %s", in, got, want)
		}
		if len(d.Criteria) > 0 && d.Criteria[0].Source != "Acceptance criteria" {
			t.Errorf("%q comes from %q", in, d.Criteria[0].Source)
		}
	}
}

func TestABlockIsKeptAsItIsWritten(t *testing.T) {
	t.Parallel()
	d := parse(t, "x.md", "# T\n## Validation\n1. First\n   ~~~bash\n   echo '<!-- kept -->'\n     deeper\n   ~~~\n")
	if len(d.Gates) != 1 || d.Gates[0].Raw != "echo '<!-- kept -->'\n  deeper" || d.Gates[0].Line != 4 {
		t.Errorf("%+v", d.Gates)
	}
	d = parse(t, "x.md", "# T\n## Gates\n~~~ sh `x`\na\n```\nb\n~~~ no\n~~~~~\n``` a`b\n")
	if len(d.Gates) != 1 || !slices.Equal(d.Gates[0].Commands, []string{"a", "```", "b", "~~~ no"}) || len(d.Warnings) != 0 {
		t.Errorf("%+v", d)
	}
}

func TestACommandThatGoesOnIsOneCommand(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a \\\n  b \\\n  c\nd": "a b c|d", "$ a": "a", "a \\": "a", "# x\n\na\n# y": "a", "a \\\n# b": "a # b",
	} {
		if got := strings.Join(commandsOf(strings.Split(in, "\n")), "|"); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestGatesCarryTheLevelThatTheyStandUnder(t *testing.T) {
	t.Parallel()
	d := parse(t, "x.md", "# T\n## Validation Loop\n### Level 2: Tests\n**Command**:\n```bash\ngo test\n```\n### Gate 12\n```\nx {name}\n```\n**Executable Tests**:\n```zsh\necho ${name}\n```\n")
	var got []string
	for _, g := range d.Gates {
		got = append(got, fmt.Sprint(g.Name, " ", g.Level, " ", g.HasPlaceholder))
	}
	if want := "Command 2 false|Gate 12 12 true|Executable Tests 0 false"; strings.Join(got, "|") != want {
		t.Errorf("got %s", strings.Join(got, "|"))
	}
}

func TestHeadingsAreToldFromOtherLines(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"##Glued": "2 Glued", "   ### In": "3 In", "    # code": "", "####### seven": "", "#": "", "# #": "", "#1 of ten": "", "#!/bin/sh": "", "#\tTab": "1 Tab", "## ü ##": "2 ü",
	} {
		got := ""
		if level, text, ok := atx(in); ok {
			got = fmt.Sprint(level, " ", text)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestNamesThatMeanAFolderAreNoIds(t *testing.T) {
	t.Parallel()
	for _, id := range []string{".", ".."} {
		if CheckID(id) == nil {
			t.Errorf("%q is accepted as an id", id)
		}
	}
	for _, name := range []string{".", "..", "/", "", "...md", ".md", "設計.md", "a\\b.md"} {
		if CheckID(Slug(name)) != nil {
			t.Errorf("%q becomes %q", name, Slug(name))
		}
	}
	if Slug("設計.md") == Slug("文書.md") {
		t.Error("two names in Chinese become one id")
	}
}
