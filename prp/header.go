package prp

import (
	"regexp"
	"strings"
)

var (
	pairRE      = regexp.MustCompile(`^([\pL][\pL _-]{1,39}?)\s*[:：]\s*(.+)$`)
	shortPairRE = regexp.MustCompile(`^[A-Z][A-Za-z]*(?: [A-Za-z]+)?:\s+\S{1,12}(?: \S{1,12})?$`)
	listedRE    = regexp.MustCompile(`^\s{0,3}(?:[-*]\s+)?([\pL][\pL _-]{1,39}?)\s*[:：]\s+(.+?)\s*\\?$`)
	metadataRE  = regexp.MustCompile(`(?i)^(?:PRP )?metadata$`)
	fieldRE     = regexp.MustCompile(`^\s*(?:[-*>]\s+)*\*\*([^*:：]{1,40}?)\s*[:：]?\*\*\s*[:：]?\s*(.*?)\s*\\?$`)
	cellRE      = regexp.MustCompile(`^\s*\|\s*\**([^|*]{1,40}?)\**\s*\|\s*([^|]*?)\s*\|\s*$`)
	pNumberRE   = regexp.MustCompile(`(?i)\bP([0-3])\b`)
	priorities  = map[string]string{"critical": "P0", "urgent": "P0", "blocker": "P0", "high": "P1", "medium": "P2", "low": "P3"}
	wordRE      = regexp.MustCompile(`[A-Za-z]+`)
)

// readHeader reads the fields that stand in bold lines, lists or tables up to
// the second section. Further down such lines speak of other things, but for a
// section of metadata, the last block of the file, and headings that are fields
// themselves.
func (p *parser) readHeader() {
	p.header, p.tail = fields{}, fields{}
	for _, h := range p.heads {
		if h.level > 2 {
			continue
		}
		if m := pairRE.FindStringSubmatch(h.text); m != nil {
			p.header.set(m[1], value{text: m[2], line: h.line})
		}
	}
	p.readPairs(p.body, p.headerEnd(), p.header)
	for _, h := range p.heads {
		if metadataRE.MatchString(h.text) {
			p.readPairs(h.line+1, h.end, p.tail)
		}
	}
	p.readPairs(p.lastBlock(), len(p.lines), p.tail)
	for i := len(p.lines) - 1; i >= p.body; i-- {
		if l := p.lines[i]; !l.fenced && strings.HasPrefix(l.text, "**PRP Status") {
			p.readPairs(i, i+1, p.tail)
			break
		}
	}
}

// readPairs reads the fields in the lines from to end.
func (p *parser) readPairs(from, end int, into fields) {
	for i := from; i < end; i++ {
		l := p.lines[i]
		if l.fenced || l.head && !strings.Contains(l.text, "**") {
			continue
		}
		if strings.Contains(l.text, "**") {
			if run := p.run(i, end); run != "" {
				for part := range strings.SplitSeq(run, "·") {
					if m := fieldRE.FindStringSubmatch(strings.TrimSpace(part)); m != nil {
						into.set(m[1], value{text: m[2], line: i})
					}
				}
				continue
			}
			if m := fieldRE.FindStringSubmatch(l.text); m != nil {
				into.set(m[1], p.fieldValue(i, m[2]))
				continue
			}
		}
		if m := cellRE.FindStringSubmatch(l.text); m != nil {
			into.set(m[1], value{text: m[2], line: i})
		} else if m := listedRE.FindStringSubmatch(l.text); m != nil {
			into.set(m[1], p.fieldValue(i, m[2]))
		}
	}
}

// run joins the lines of a run of pairs, "**Size** L · **Status** new", that
// begins at a line; "" where none does.
func (p *parser) run(from, end int) string {
	if !strings.HasPrefix(p.lines[from].text, "**") || (from > p.body && strings.TrimSpace(p.lines[from-1].text) != "") {
		return ""
	}
	var words []string
	dots := 0
	for i := from; i < end && strings.TrimSpace(p.lines[i].text) != "" && !p.lines[i].fenced; i++ {
		words = append(words, p.lines[i].text)
		dots += strings.Count(p.lines[i].text, "·")
	}
	if dots == 0 {
		return ""
	}
	return strings.Join(words, " ")
}

// headerEnd is the line of the second section. Headings that are fields are
// none.
func (p *parser) headerEnd() int {
	seen := 0
	for _, h := range p.heads {
		if h.level == 2 && !shortPairRE.MatchString(h.text) {
			if seen++; seen == 2 {
				return h.line
			}
		}
	}
	return len(p.lines)
}

// lastBlock is the first of the bold lines that the file ends with.
func (p *parser) lastBlock() int {
	at := len(p.lines)
	for i := at - 1; i >= p.body; i-- {
		t := strings.TrimSpace(p.lines[i].text)
		switch {
		case p.lines[i].fenced:
			return at
		case fieldRE.MatchString(p.lines[i].text):
			at = i
		case t != "" && !isRule(t) && !strings.HasPrefix(t, "*"):
			return at
		}
	}
	return at
}

// fieldValue is what stands after the key, or the list below a key alone.
func (p *parser) fieldValue(at int, text string) value {
	v := value{text: text, line: at}
	if text != "" {
		return v
	}
	for i, l := range p.lines[at+1:] {
		width, _ := marker(l.text)
		if width == 0 || l.fenced {
			break
		}
		v.list, v.last = true, at+1+i
		v.items = append(v.items, clean(l.text[width:]))
	}
	return v
}

// readFields takes over what front matter and header say.
func (p *parser) readFields() {
	p.readStatus()
	repo := p.first(repoKeys)
	p.doc.Repo, p.doc.Spans.Repo = repo.text, p.spanOf(repo)
	stated := p.first(priorityKeys)
	p.doc.Priority = priority(stated.text)
	if p.doc.Priority != "" {
		p.doc.Spans.Priority = p.spanOf(stated)
	}
	if stated.text != "" && p.doc.Priority == "" {
		p.warn("priority-unknown", stated.line, "the priority is none of P0 to P3, critical, high, medium, low")
	}
	p.dependencies()
}

// priority reads P0 to P3, or the first word that means one.
func priority(text string) string {
	if m := pNumberRE.FindStringSubmatch(text); m != nil {
		return "P" + m[1]
	}
	for _, w := range wordRE.FindAllString(text, -1) {
		if p := priorities[strings.ToLower(w)]; p != "" {
			return p
		}
	}
	return ""
}
