package prp

import (
	"regexp"
	"strings"
)

// The words that documents use for where they stand, by what they mean. The
// first that a status holds decides.
var (
	statusRE = []struct {
		means string
		says  *regexp.Regexp
	}{
		{"deprecated", regexp.MustCompile(`(?i)\b(?:deprecated|superseded|obsolete|cancell?ed|rejected|failed|abandoned|archived)`)},
		{"new", regexp.MustCompile(`(?i)\b(?:not (?:yet )?(?:started|implemented)|new|pending|initial|idea|draft|propos|planned|planning|to-?do|open|design|backlog)`)},
		{"ready", regexp.MustCompile(`(?i)\b(?:ready|validated|approved)`)},
		{"in_progress", regexp.MustCompile(`(?i)\b(?:in[-_ ]?progress|active|started|ongoing|wip|in[-_ ]development)|🔄`)},
		{"complete", regexp.MustCompile(`(?i)\b(?:executed|complete|implemented|finished|done|merged|landed|shipped)|✅`)},
	}
	bodyStatusRE = regexp.MustCompile(`(?i)^\s*(?:[-*>]\s+)*\*\*status\s*:?\*\*\s*:?\s*\S`)
)

// readStatus takes over what the document says of itself, and points at a line
// that looks like it and is not.
func (p *parser) readStatus() {
	v := p.first(statusKeys)
	p.doc.StatusRaw, p.doc.Spans.Status = v.text, p.spanOf(v)
	if v.text != "" {
		if p.doc.Status = status(v.text); p.doc.Status == "" {
			p.doc.Status = "new"
			p.warn("status-unknown", v.line, "the status is none of the usual words and counts as new")
		}
	}
	for i := p.headerEnd(); i < len(p.lines); i++ {
		if l := p.lines[i]; !l.fenced && strings.Contains(l.text, "**") && bodyStatusRE.MatchString(l.text) && i != v.line {
			p.warn("decoy-status", i, "this status is not that of the document")
			return
		}
	}
}

// status is what a status means, "" for a word that is not known.
func status(text string) string {
	for _, s := range statusRE {
		if s.says.MatchString(text) {
			return s.means
		}
	}
	return ""
}
