package prp

import (
	"bytes"
	"regexp"
	"strings"
)

// parser holds what the steps of Parse share.
type parser struct {
	name   string
	doc    *Document
	lines  []line
	heads  []heading
	front  map[string]string // keys of the header, lower case, the first wins
	body   int               // first line after the front matter
	ids    []string          // ids that the header names
	blocks []block
}

// line is one line of the document. In a fence it is text of a block and no
// markup.
type line struct {
	text   string
	fenced bool
}

// heading is a title of a section, or a bold line on its own.
type heading struct {
	level int // 1 to 6; 7 for a bold line
	text  string
	line  int // index
}

// block is what stands within a fence.
type block struct {
	lang string
	text []string
	line int // index of the opener
}

var (
	fenceRE   = regexp.MustCompile("^ {0,3}(`{3,}|~{3,})\\s*([^`]*)$")
	headRE    = regexp.MustCompile(`^ {0,3}(#{1,6})\s*(.*?)\s*#*\s*$`)
	boldRE    = regexp.MustCompile(`^\s{0,3}\*\*([^*]+?):?\*\*:?\s*$`)
	commentRE = regexp.MustCompile(`(?s)<!--.*?-->`)
)

// scan splits the text into lines, and finds fences and headings.
func (p *parser) scan(text []byte) {
	text = bytes.TrimPrefix(text, bom)
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	text = commentRE.ReplaceAllFunc(text, func(c []byte) []byte { // lines keep their numbers
		return bytes.Repeat([]byte("\n"), bytes.Count(c, []byte("\n")))
	})
	for _, t := range strings.Split(strings.ReplaceAll(string(text), "\r", "\n"), "\n") {
		p.lines = append(p.lines, line{text: strings.ReplaceAll(t, "\u00a0", " ")})
	}
	p.body = p.frontMatter()
	p.fences()
	for i := p.body; i < len(p.lines); i++ {
		if p.lines[i].fenced {
			continue
		}
		t := p.lines[i].text
		if m := headRE.FindStringSubmatch(t); m != nil && m[2] != "" {
			p.heads = append(p.heads, heading{len(m[1]), m[2], i})
		} else if m := boldRE.FindStringSubmatch(t); m != nil {
			p.heads = append(p.heads, heading{7, m[1], i})
		}
	}
}

// fences marks what stands in code blocks.
func (p *parser) fences() {
	var open string
	for i := p.body; i < len(p.lines); i++ {
		m := fenceRE.FindStringSubmatch(p.lines[i].text)
		switch {
		case open == "" && m != nil:
			open = m[1]
			p.lines[i].fenced = true
			lang, _, _ := strings.Cut(strings.TrimSpace(m[2]), " ")
			p.blocks = append(p.blocks, block{lang: strings.ToLower(lang), line: i})
		case open == "":
		case m != nil && m[1][0] == open[0] && len(m[1]) >= len(open) && strings.TrimSpace(m[2]) == "":
			open = ""
			p.lines[i].fenced = true
		default:
			p.lines[i].fenced = true
			b := &p.blocks[len(p.blocks)-1]
			b.text = append(b.text, p.lines[i].text)
		}
	}
	if open != "" {
		p.warn("fence-unclosed", p.blocks[len(p.blocks)-1].line, "the code block is never closed", "close it with "+open)
	}
}

func (p *parser) warn(rule string, at int, message, mend string) {
	p.doc.Warnings = append(p.doc.Warnings, Finding{Rule: rule, Line: at + 1, Message: message, Mend: mend})
}

// section gives the lines below a heading, up to the next of its level or above.
func (p *parser) section(i int) (from, to int) {
	h := p.heads[i]
	for _, next := range p.heads[i+1:] {
		if next.level <= h.level {
			return h.line + 1, next.line
		}
	}
	return h.line + 1, len(p.lines)
}
