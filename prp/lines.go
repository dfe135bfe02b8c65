package prp

import (
	"bytes"
	"strings"
	"unicode"
)

// parser holds what the steps of Parse share.
type parser struct {
	name   string
	doc    *Document
	lines  []line
	body   int // first line after the front matter
	blocks []block
	heads  []heading
	front  fields   // of the front matter
	fenced fields   // of a block of YAML under the title
	header fields   // of bold lines and tables at the top
	tail   fields   // of such lines in other places that speak of the whole document
	ids    []string // ids that the title names

	fromSection bool // the dependencies come from a section, not from a field
}

// line is one line of the document. In a fence it is text of a block and no
// markup.
type line struct {
	text   string
	span   Span
	fenced bool
	head   bool
}

var bom = []byte("\xef\xbb\xbf")

// scan splits the text into lines and finds what gives them their meaning.
func (p *parser) scan(text []byte) {
	at := len(text) - len(bytes.TrimPrefix(text, bom))
	for {
		n := bytes.IndexAny(text[at:], "\r\n")
		if n < 0 {
			p.lines = append(p.lines, line{text: string(text[at:]), span: Span{at, len(text)}})
			break
		}
		p.lines = append(p.lines, line{text: string(text[at : at+n]), span: Span{at, at + n}})
		at += n + 1
		if text[at-1] == '\r' && at < len(text) && text[at] == '\n' {
			at++
		}
	}
	p.frontMatter()
	p.fences()
	p.outline()
	p.fencedMatter()
}

// warn notes a finding at the line of an index.
func (p *parser) warn(rule string, at int, message string) {
	p.doc.Warnings = append(p.doc.Warnings, finding(rule, at+1, message))
}

// clean makes one printable line of a value: escapes in YAML can hold any
// character, and values end up in tables on terminals.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.Join(strings.Fields(s), " ")
}

// indentOf counts the columns in front of the text of a line.
func indentOf(s string) int {
	n := 0
	for i := range len(s) {
		switch s[i] {
		case ' ':
			n++
		case '\t':
			n += 4
		default:
			return n
		}
	}
	return n
}
