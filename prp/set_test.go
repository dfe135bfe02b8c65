package prp

import (
	"fmt"
	"strings"
	"testing"
)

// between gives the findings of a set of documents "name: id <- dependencies".
func between(lines ...string) map[string][]Finding {
	var s Set
	for _, l := range lines {
		name, rest, _ := strings.Cut(l, ": ")
		id, deps, _ := strings.Cut(rest, " <- ")
		s.Add(name, Document{ID: id, DependsOn: strings.Fields(deps)})
	}
	return s.Findings()
}

func TestWhatIsWrongBetweenDocumentsIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		docs []string
		want map[string]string // file -> rule and what the message names
	}{
		"nothing":         {[]string{"a.md: PRP-1", "b.md: PRP-2 <- PRP-1"}, nil},
		"file names":      {[]string{"PRP-1-a.md: PRP-1", "b.md: PRP-2 <- PRP-1-a", "c.md:  <- b"}, nil},
		"letters' case":   {[]string{"a.md: PRP-1a", "b.md: PRP-2 <- prp-1A"}, nil},
		"alone":           {[]string{"a.md: PRP-1 <- PRP-9"}, nil},
		"a slug":          {[]string{"My Thing.md: ", "b.md: PRP-2 <- my-thing"}, nil},
		"unknown":         {[]string{"a.md: PRP-1 <- PRP-9", "b.md: PRP-2"}, map[string]string{"a.md": "dependency-unknown PRP-9"}},
		"twice":           {[]string{"a.md: PRP-1", "b.md: prp-1"}, map[string]string{"b.md": "id-twice a.md"}},
		"itself":          {[]string{"a.md: A-1 <- A-1"}, map[string]string{"a.md": "dependency-cycle A-1 -> A-1"}},
		"a circle":        {[]string{"a.md: A <- C", "b.md: B <- A", "c.md: C <- B", "d.md: D <- A"}, map[string]string{"a.md": "dependency-cycle A -> C -> B -> A", "b.md": "dependency-cycle A -> C -> B -> A", "c.md": "dependency-cycle A -> C -> B -> A"}},
		"two of a length": {[]string{"a.md: A <- B", "b.md: B <- A", "c.md: C <- D", "d.md: D <- C"}, map[string]string{"a.md": "dependency-cycle A -> B -> A", "b.md": "dependency-cycle A -> B -> A", "c.md": "dependency-cycle C -> D -> C", "d.md": "dependency-cycle C -> D -> C"}},
	} {
		got := between(c.docs...)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v", name, got)
		}
		for file, want := range c.want {
			rule, part, _ := strings.Cut(want, " ")
			f := got[file]
			if len(f) != 1 || f[0].Rule != rule || !strings.Contains(f[0].Message, part) || f[0].Mend == "" || f[0].Error == (rule == "dependency-unknown") {
				t.Errorf("%s: %s has %v, want %s", name, file, f, want)
			}
		}
	}
}

// Ten thousand documents in one row, and the last names the first.
func TestALongCircleIsOne(t *testing.T) {
	t.Parallel()
	var lines []string
	for i := range 10_000 {
		lines = append(lines, fmt.Sprintf("%d.md: A-%d <- A-%d", i, i, (i+1)%10_000))
	}
	if got := between(lines...); len(got) != 10_000 || len(got["5.md"]) != 1 {
		t.Errorf("%d documents have findings", len(got))
	} else if text := got["5.md"][0].Message; len(text) > 300 || !strings.Contains(text, "… 9980 more …") || !strings.HasSuffix(text, " -> A-9999 -> A-0") {
		t.Errorf("the circle is spelled as %.400q", text)
	}
}
