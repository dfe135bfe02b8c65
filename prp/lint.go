package prp

import (
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
		out = append(out, Finding{Rule: "not-a-prp", Message: "this does not look like a PRP", Mend: "add a goal and criteria under headings", Error: true})
	}
	if d.Title == "" || d.untitled {
		out = append(out, Finding{Rule: "no-title", Message: "the document has no title", Mend: "begin with a line such as `# PRP-7 - What to build`", Error: true})
	}
	if len(d.Criteria) == 0 {
		out = append(out, Finding{Rule: "no-criteria", Message: "no criterion says when it is done", Mend: "list them under a heading `## Success Criteria`", Error: true})
	}
	return append(out, d.Warnings...)
}

// Fit says whether agents can be held to the document.
func (d Document) Fit() bool { return Fit(d.Lint()) }

// Fit says whether none of the findings refuses the document.
func Fit(findings []Finding) bool {
	return !slices.ContainsFunc(findings, func(f Finding) bool { return f.Error })
}
