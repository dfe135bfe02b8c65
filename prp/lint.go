package prp

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Finding is something that the author should look at.
type Finding struct {
	Rule    string `json:"rule"`
	Line    int    `json:"line"` // 0: the whole document
	Message string `json:"message"`
	Mend    string `json:"mend"`
	Error   bool   `json:"error"` // the document is refused
}

var (
	prpWordsRE = regexp.MustCompile(`(?i)\b(goal|purpose|criteria|definition of done|validation|requirements?|implementation|prp|context|task)\b`)
	// Names of pages that stand beside PRPs and are none.
	pageRE = regexp.MustCompile(`(?i)(?:^|[^a-z])(?:summary|overview|report|analysis|methodology|guide|to[-_ ]?do(?:s|[-_ ]list)?)[^a-z]*$|^gap[-_ ]analysis`)
)

// looksLikePRP wants headings and, among them, one of those that PRPs have. A
// page that says by its type or its name that it is something else is none,
// unless it has an id, or criteria and gates.
func (p *parser) looksLikePRP() bool {
	switch strings.ToLower(p.first(typeKeys).text) {
	case "system", "domain":
		return false
	}
	whole := len(p.doc.Criteria) > 0 && len(p.doc.Gates) > 0
	if (pageRE.MatchString(stemOf(p.name)) || pageRE.MatchString(p.doc.Title)) && p.doc.ID == "" && !whole {
		return false
	}
	if len(p.doc.Criteria) > 0 || len(p.doc.Gates) > 0 {
		return true
	}
	return slices.ContainsFunc(p.heads, func(h heading) bool { return prpWordsRE.MatchString(h.text) })
}

// Lint says what is wrong with a document, errors first.
func (d Document) Lint() []Finding {
	var out []Finding
	if !d.LooksLikePRP {
		out = append(out, finding("not-a-prp", 0, "this does not look like a PRP"))
	}
	if d.Title == "" || d.untitled {
		out = append(out, finding("no-title", 0, "the document has no title"))
	}
	if len(d.Criteria) == 0 {
		out = append(out, finding("no-criteria", 0, "no criterion says when it is done"))
	}
	out = append(out, d.Warnings...)
	if leftRE.MatchString(d.Title) {
		out = append(out, finding("template-left", 0, "the title has a gap to be filled in"))
	}
	out = append(out, lintCriteria(d.Criteria)...)
	if len(d.Gates) == 0 {
		out = append(out, finding("no-gates", 0, "no command validates the result"))
	}
	for _, g := range d.Gates {
		out = append(out, lintGate(g)...)
	}
	return out
}

var leftRE = regexp.MustCompile(`\[[A-Z][A-Za-z]+(?: [A-Za-z]+)*\](?:[^(\w]|$)|\{[a-zA-Z_][a-zA-Z_ ]*\}|<[a-z]+(?:[ _-][a-z]+)+>`)

// lintCriteria looks at the criteria of the first level.
func lintCriteria(all []Criterion) []Finding {
	var out []Finding
	first := map[string]int{}
	ticked := 0
	for _, c := range all {
		if at, twice := first[c.Text]; twice {
			out = append(out, finding("criterion-twice", c.Line, fmt.Sprintf("this criterion stands in line %d too", at)))
		} else {
			first[c.Text] = c.Line
		}
		if leftRE.MatchString(c.Text) {
			out = append(out, finding("template-left", c.Line, "this criterion has a gap to be filled in"))
		}
		if c.Done {
			if ticked++; ticked == 1 {
				out = append(out, finding("criterion-ticked", c.Line, "this criterion is ticked already"))
			}
		}
	}
	return out
}

// Fit says whether agents can be held to the document.
func (d Document) Fit() bool { return Fit(d.Lint()) }

// Fit says whether none of the findings refuses the document.
func Fit(findings []Finding) bool {
	return !slices.ContainsFunc(findings, func(f Finding) bool { return f.Error })
}
