package prp

import (
	"regexp"
	"strings"
)

// heading is a title of a section, or a bold line on its own.
type heading struct {
	level  int // 1 to 6; 7 for a bold line
	text   string
	line   int // index
	end    int // index of the line after its section
	parent int // index of the heading that it stands under, -1 for none
}

const boldLevel = 7

// maxHeading is how much of a heading is read, in bytes: many things are asked
// of each, and none is longer in earnest.
const maxHeading = 1 << 10

var boldRE = regexp.MustCompile(`^\s{0,3}\*\*([^*]+?):?\*\*:?\s*$`)

// outline finds the headings, and which stands under which. Every later step
// asks it, so that none needs to search.
func (p *parser) outline() {
	for i := p.body; i < len(p.lines); i++ {
		if p.lines[i].fenced {
			continue
		}
		t := p.lines[i].text
		if level, text, ok := atx(t); ok {
			p.addHead(level, text, i)
		} else if level, ok := p.underlined(i); ok {
			p.addHead(level, strings.TrimSpace(t), i)
		} else if strings.Contains(t, "**") {
			if m := boldRE.FindStringSubmatch(t); m != nil {
				p.addHead(boldLevel, m[1], i)
			}
		}
	}
	p.nest()
}

func (p *parser) addHead(level int, text string, at int) {
	p.lines[at].head = true
	if len(text) > maxHeading {
		text = text[:maxHeading]
	}
	p.heads = append(p.heads, heading{level: level, text: clean(text), line: at})
}

// nest finds parents and ends. The stack holds the sections that are open, at
// most one of each level.
func (p *parser) nest() {
	var stack []int
	for i := range p.heads {
		h := &p.heads[i]
		h.end, h.parent = len(p.lines), -1
		for len(stack) > 0 && p.heads[stack[len(stack)-1]].level >= h.level {
			p.heads[stack[len(stack)-1]].end = h.line
			stack = stack[:len(stack)-1]
		}
		if len(stack) > 0 {
			h.parent = stack[len(stack)-1]
		}
		stack = append(stack, i)
	}
}

// atx reads a line such as "## Goal". The space may be missing before a letter.
func atx(line string) (level int, text string, ok bool) {
	t := strings.TrimLeft(line, " ")
	if len(line)-len(t) > 3 || !strings.HasPrefix(t, "#") {
		return 0, "", false
	}
	rest := strings.TrimLeft(t, "#")
	level = len(t) - len(rest)
	text = strings.TrimSpace(rest)
	if cut := strings.TrimRight(text, "#"); cut == "" || strings.HasSuffix(cut, " ") { // "## Goal ##", but not "# From C to C#"
		text = strings.TrimSpace(cut)
	}
	glued := text != "" && !strings.HasPrefix(rest, " ") && !strings.HasPrefix(rest, "\t")
	if level > 6 || text == "" || (glued && strings.ContainsAny(text[:1], "0123456789!#$[(-")) {
		return 0, "", false
	}
	return level, text, true
}

// underlined tells a title over a line of === or ---. The latter is often meant
// as a rule, so it counts only under a line of plain text that stands alone.
func (p *parser) underlined(i int) (level int, ok bool) {
	if i+1 >= len(p.lines) || p.lines[i+1].fenced {
		return 0, false
	}
	under := strings.TrimRight(p.lines[i+1].text, " \t")
	if len(under) < 2 || strings.Trim(under, under[:1]) != "" || (under[0] != '=' && under[0] != '-') {
		return 0, false
	}
	t := p.lines[i].text
	if strings.TrimSpace(t) == "" || strings.ContainsAny(t[:1], " \t*-+>|<#=`") || strings.Contains(t, "**") {
		return 0, false
	}
	if alone := i == p.body || strings.TrimSpace(p.lines[i-1].text) == ""; !alone {
		return 0, false
	}
	if under[0] == '=' {
		return 1, true
	}
	return 2, len(under) >= 3
}

// headBefore is the index of the last heading over a line, -1 for none.
func (p *parser) headBefore(at int) int {
	lo, hi := 0, len(p.heads)
	for lo < hi {
		if mid := (lo + hi) / 2; p.heads[mid].line < at {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}
