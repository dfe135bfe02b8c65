package prp

import "strings"

// block is what stands within a fence.
type block struct {
	lang string
	text []string
	line int // index of the opener
	last int // index of the closer, or of the last line
}

// fence is a line that opens or closes a block.
type fence struct {
	mark   string
	info   string
	indent int
}

// fences marks what stands in code blocks, and takes comments out of the rest.
// Within a list a fence may be indented as deeply as its item.
func (p *parser) fences() {
	var open fence
	inList := false
	hidden := newComments(p.lines)
	for i := p.body; i < len(p.lines); i++ {
		l := &p.lines[i]
		if open.mark != "" {
			l.fenced = true
			p.blocks[len(p.blocks)-1].last = i
			if f, ok := fenceOf(l.text); ok && f.closes(open) {
				open = fence{}
				continue
			}
			b := &p.blocks[len(p.blocks)-1]
			b.text = append(b.text, dedent(l.text, open.indent))
			continue
		}
		l.text = strings.ReplaceAll(hidden.strip(i, l.text), "\u00a0", " ")
		width, _ := marker(l.text)
		if f, ok := fenceOf(l.text[width:]); ok && (f.indent <= 3 || inList) {
			open = f
			l.fenced = true
			lang, _, _ := strings.Cut(f.info, " ")
			p.blocks = append(p.blocks, block{lang: strings.ToLower(lang), line: i, last: i})
			inList = inList || width > 0
			continue
		}
		if strings.TrimSpace(l.text) != "" {
			inList = width > 0 || inList && indentOf(l.text) > 0
		}
	}
	if open.mark != "" {
		p.warn("fence-unclosed", p.blocks[len(p.blocks)-1].line, "the code block is never closed with "+clean(open.mark))
	}
}

// fenceOf reads three or more backticks or tildes in front of a line.
func fenceOf(text string) (fence, bool) {
	t := strings.TrimLeft(text, " \t")
	if len(t) < 3 || (t[0] != '`' && t[0] != '~') {
		return fence{}, false
	}
	rest := strings.TrimLeft(t, t[:1])
	n := len(t) - len(rest)
	if n < 3 || (t[0] == '`' && strings.Contains(rest, "`")) {
		return fence{}, false
	}
	return fence{mark: t[:n], info: strings.TrimSpace(rest), indent: indentOf(text)}, true
}

func (f fence) closes(open fence) bool {
	return f.info == "" && f.mark[0] == open.mark[0] && len(f.mark) >= len(open.mark)
}

// dedent takes away the indentation that a block has from its fence.
func dedent(text string, indent int) string {
	for range indent {
		if text == "" || (text[0] != ' ' && text[0] != '\t') {
			break
		}
		text = text[1:]
	}
	return text
}
