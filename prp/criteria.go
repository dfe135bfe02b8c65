package prp

import (
	"regexp"
	"slices"
	"strings"
)

var (
	criteriaRE = regexp.MustCompile(`(?i)\b(success criteria|acceptance criteria|acceptance checklist|definition of done|exit criteria|done when)\b|^dod$` +
		`|crit[ée]rios? de (?:sucesso|aceita|[ée]xito|acepta)|crit[èe]res de (?:succ|r[ée]ussite|accept)|(?:erfolgs|akzeptanz|abnahme)kriterien|成功[标標]准|成功標準|成功基準|[验驗]收[标標][准準]|受け入れ基準|성공 기준`)
	// What stands in where there is no other list.
	fallbackRE = regexp.MustCompile(`(?i)\b(success (?:definition|metrics|indicators)|KPIs?|key performance indicators)\b`)
	notTheseRE = regexp.MustCompile(`(?i)(validation|status|met|scoring|scores?)\s*$|^final\b.*checklist|final status|quality|completion`)
	numberRE   = regexp.MustCompile(`^(?:[^\pL\pN]*\d+(?:\.\d+)*\.?\)?\s+)?[^\pL\pN]*`)
	excludedRE = regexp.MustCompile(`(?i)definition of ready|^dor$|(?:pre|post)-release|missing|anti-?patterns?|deliverables|(?:final validation|completion|quality|implementation) checklist|scoring|downstream`)
	joinedRE   = regexp.MustCompile(`(?i)&|\band\b`)
)

// criteria collects the lists under headings that announce criteria.
func (p *parser) criteria() {
	for _, announces := range []*regexp.Regexp{criteriaRE, fallbackRE} {
		p.announced(announces)
		if len(p.doc.Criteria) > 0 {
			return
		}
	}
}

// announced collects the sections whose headings announce criteria, each with
// the sections below it.
func (p *parser) announced(by *regexp.Regexp) {
	names := make([]string, len(p.heads)) // "" where it announces none
	for i, h := range p.heads {
		if name := criteriaName(h.text, by); !notTheseRE.MatchString(name) {
			names[i] = name
		}
	}
	for i := 0; i < len(p.heads); i++ {
		if names[i] == "" {
			continue
		}
		last := i
		for last+1 < len(p.heads) && p.heads[last+1].line < p.heads[i].end {
			last++
		}
		if found := p.sectionCriteria(i, last, names); len(found) > 0 {
			p.doc.Criteria = append(p.doc.Criteria, found...)
			i = last
		}
	}
}

// sectionCriteria reads a section, headings first to last. A heading below that
// announces criteria gives its name to them, and one that announces other things
// is left out.
func (p *parser) sectionCriteria(first, last int, names []string) []Criterion {
	sources := make([]string, last-first+1) // "" where the lists are no criteria
	sources[0] = names[first]
	if joinedRE.MatchString(names[first]) && slices.ContainsFunc(names[first+1:last+1], func(n string) bool { return n != "" }) {
		sources[0] = "" // "Goal & Success Criteria" over "Success Criteria"
	}
	var found []Criterion
	for i := first; i <= last; i++ {
		h, at := p.heads[i], i-first
		switch {
		case i == first:
		case names[i] != "":
			sources[at] = names[i]
		case !excludedRE.MatchString(h.text) && h.parent >= first:
			sources[at] = sources[h.parent-first]
		}
		to := p.heads[first].end
		if i < last {
			to = p.heads[i+1].line
		}
		if sources[at] != "" {
			found = append(found, p.items(h.line+1, to, sources[at])...)
		}
	}
	if len(found) == 0 {
		return p.rows(p.heads[first].line+1, p.heads[first].end, names[first])
	}
	return found
}

// rows reads the rows of tables, for sections without lists.
func (p *parser) rows(from, to int, source string) []Criterion {
	var found []Criterion
	body := false // under the line |---|---|
	for i := from; i < to; i++ {
		t := strings.TrimSpace(p.lines[i].text)
		switch {
		case p.lines[i].fenced || !strings.HasPrefix(t, "|"):
			body = false
		case strings.Trim(t, "|-: \t") == "":
			body = true
		case body:
			var cells []string
			for cell := range strings.SplitSeq(strings.Trim(t, "|"), "|") {
				if cell = strings.TrimSpace(cell); cell != "" {
					cells = append(cells, cell)
				}
			}
			if len(cells) > 0 {
				found = append(found, Criterion{Text: strings.Join(cells, " | "), Source: source, Line: i + 1, Span: p.lines[i].span})
			}
		}
	}
	return found
}

func criteriaName(heading string, by *regexp.Regexp) string {
	name := strings.Trim(heading[prefixLen(numberRE, heading):], " :*")
	if !by.MatchString(name) {
		return ""
	}
	return name
}
