package prp

import (
	"regexp"
	"strings"
)

var (
	criteriaRE = regexp.MustCompile(`(?i)\b(success criteria|acceptance criteria|acceptance checklist|definition of done|exit criteria|done when)\b|^dod$`)
	notTheseRE = regexp.MustCompile(`(?i)(validation|status|met)\s*$|final|quality|completion|scor`)
	numberRE   = regexp.MustCompile(`^(?:[^\pL\pN]*\d+(?:\.\d+)*\.?\s+)?[^\pL\pN]*`)
)

// criteria collects the lists under headings that announce criteria.
func (p *parser) criteria() {
	names := make([]string, len(p.heads)) // "" where it announces none
	for i, h := range p.heads {
		names[i] = criteriaName(h.text)
	}
	last := -1
	for i, h := range p.heads {
		if h.line < last || names[i] == "" || notTheseRE.MatchString(names[i]) {
			continue
		}
		// It ends at a heading below that announces criteria of its own, as
		// "Success Criteria" does below "Goal & Success Criteria".
		to := h.end
		for j := i + 1; j < len(p.heads) && p.heads[j].line < h.end; j++ {
			if names[j] != "" {
				to = p.heads[j].line
				break
			}
		}
		if items := p.items(h.line+1, to, names[i]); len(items) > 0 {
			p.doc.Criteria = append(p.doc.Criteria, items...)
			last = to
		}
	}
}

func criteriaName(heading string) string {
	name := strings.Trim(heading[prefixLen(numberRE, heading):], " :*")
	if !criteriaRE.MatchString(name) {
		return ""
	}
	return name
}
