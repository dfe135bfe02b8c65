package prp

import (
	"regexp"
	"strings"
)

var (
	criteriaRE = regexp.MustCompile(`(?i)\b(success criteria|acceptance criteria|acceptance checklist|definition of done|exit criteria|done when)\b|^dod$`)
	notTheseRE = regexp.MustCompile(`(?i)(validation|status|met)\s*$|final|quality|completion|scor`)
	itemRE     = regexp.MustCompile(`^(\s*)(?:[-*+]|\d{1,3}[.)])\s+(?:\[([ xX~])\]\s*)?(\S.*)$`)
	numberRE   = regexp.MustCompile(`^(?:[^\pL\pN]*\d+(?:\.\d+)*\.?\s+)?[^\pL\pN]*`)
)

// criteria collects the lists under headings that announce criteria.
func (p *parser) criteria() {
	last := -1
	for i, h := range p.heads {
		name := strings.TrimSpace(numberRE.ReplaceAllString(h.text, ""))
		if h.line < last || !criteriaRE.MatchString(name) || notTheseRE.MatchString(name) {
			continue
		}
		from, to := p.criteriaSection(i)
		if items := p.items(from, to, name); len(items) > 0 {
			p.doc.Criteria = append(p.doc.Criteria, items...)
			last = to
		}
	}
}

// criteriaSection ends at a heading below that announces criteria of its own,
// as "Success Criteria" does below "Goal & Success Criteria".
func (p *parser) criteriaSection(i int) (from, to int) {
	from, to = p.section(i)
	for _, h := range p.heads[i+1:] {
		if h.line >= to {
			break
		}
		if criteriaRE.MatchString(h.text) {
			return from, h.line
		}
	}
	return from, to
}

// items reads a list: what is indented belongs to the item above it.
func (p *parser) items(from, to int, source string) []Criterion {
	var out []Criterion
	indent := -1
	for i := from; i < to; i++ {
		l := p.lines[i]
		if l.fenced {
			continue
		}
		m := itemRE.FindStringSubmatch(l.text)
		if m == nil {
			if t := strings.TrimSpace(l.text); t != "" && len(out) > 0 && len(l.text)-len(strings.TrimLeft(l.text, " \t")) > indent {
				c := &out[len(out)-1]
				if n := len(c.Items); n > 0 {
					c = &c.Items[n-1]
				}
				c.Text += " " + t
			}
			continue
		}
		c := Criterion{Text: strings.TrimSpace(m[3]), Done: strings.EqualFold(m[2], "x"), Source: source, Line: i + 1}
		width := len(strings.ReplaceAll(m[1], "\t", "    "))
		if len(out) > 0 && width > indent+1 {
			parent := &out[len(out)-1]
			parent.Items = append(parent.Items, c)
			continue
		}
		indent = width
		out = append(out, c)
	}
	return out
}
