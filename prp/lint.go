package prp

import "regexp"

// Finding is something that the author should look at.
type Finding struct {
	Rule    string `json:"rule"`
	Line    int    `json:"line"` // 0: the whole document
	Message string `json:"message"`
	Mend    string `json:"mend"`
	Error   bool   `json:"error"` // the document is refused
}

var prpWordsRE = regexp.MustCompile(`(?i)\b(goal|purpose|criteria|definition of done|validation|requirements?|implementation|prp|context|task)\b`)

// looksLikePRP wants headings and, among them, one of those that PRPs have.
func (p *parser) looksLikePRP() bool {
	if len(p.doc.Criteria) > 0 || len(p.doc.Gates) > 0 {
		return true
	}
	for _, h := range p.heads {
		if prpWordsRE.MatchString(h.text) {
			return true
		}
	}
	return false
}

// Lint says what is wrong with a document, errors first.
func (d Document) Lint() []Finding {
	var out []Finding
	if !d.LooksLikePRP {
		out = append(out, Finding{Rule: "not-a-prp", Message: "this does not look like a PRP", Mend: "add a goal and criteria under headings", Error: true})
	}
	if d.Title == "" {
		out = append(out, Finding{Rule: "no-title", Message: "the document has no title", Mend: "begin with a line such as `# PRP-7 - What to build`", Error: true})
	}
	if len(d.Criteria) == 0 {
		out = append(out, Finding{Rule: "no-criteria", Message: "no criterion says when it is done", Mend: "list them under a heading `## Success Criteria`", Error: true})
	}
	return append(out, d.Warnings...)
}

// Fit says whether agents can be held to the document.
func (d Document) Fit() bool {
	for _, f := range d.Lint() {
		if f.Error {
			return false
		}
	}
	return true
}
