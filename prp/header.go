package prp

import (
	"regexp"
	"strings"
)

var (
	fieldRE    = regexp.MustCompile(`^\s*(?:[-*>]\s+)*\*\*([^*:]{1,40}?)\s*:?\*\*\s*:?\s*(.*?)\s*\\?$`)
	cellRE     = regexp.MustCompile(`^\s*\|\s*\**([^|*]{1,40}?)\**\s*\|\s*([^|]*?)\s*\|\s*$`)
	pNumberRE  = regexp.MustCompile(`(?i)\bP([0-3])\b`)
	priorities = map[string]string{"critical": "P0", "urgent": "P0", "blocker": "P0", "high": "P1", "medium": "P2", "low": "P3"}
	wordRE     = regexp.MustCompile(`[A-Za-z]+`)
)

// readHeader reads the fields that stand in bold lines or tables up to the
// second section. Further down such lines speak of other things.
func (p *parser) readHeader() {
	p.header = fields{}
	end := p.headerEnd()
	for i := p.body; i < end; i++ {
		l := p.lines[i]
		if l.fenced {
			continue
		}
		if strings.Contains(l.text, "**") {
			if m := fieldRE.FindStringSubmatch(l.text); m != nil {
				p.header.set(m[1], p.fieldValue(i, m[2]))
				continue
			}
		}
		if m := cellRE.FindStringSubmatch(l.text); m != nil {
			p.header.set(m[1], value{text: m[2], line: i})
		}
	}
}

func (p *parser) headerEnd() int {
	seen := 0
	for _, h := range p.heads {
		if h.level == 2 {
			if seen++; seen == 2 {
				return h.line
			}
		}
	}
	return len(p.lines)
}

// fieldValue is what stands after the key, or the list below a key alone.
func (p *parser) fieldValue(at int, text string) value {
	v := value{text: text, line: at}
	if text != "" {
		return v
	}
	for _, l := range p.lines[at+1:] {
		width, _ := marker(l.text)
		if width == 0 || l.fenced {
			break
		}
		v.list = true
		v.items = append(v.items, clean(l.text[width:]))
	}
	return v
}

// readFields takes over what front matter and header say.
func (p *parser) readFields() {
	p.doc.Status = p.first(statusKeys).text
	p.doc.Repo = p.first(repoKeys).text
	stated := p.first(priorityKeys)
	p.doc.Priority = priority(stated.text)
	if stated.text != "" && p.doc.Priority == "" {
		p.warn("priority-unknown", stated.line, "the priority is none of P0 to P3, critical, high, medium, low", "write one of them, or leave the line out")
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
