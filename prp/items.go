package prp

import "strings"

// items reads a list: what is indented belongs to the item above it.
func (p *parser) items(from, to int, source string) []Criterion {
	r := itemReader{source: source, indent: -1, lines: p.lines}
	for i := from; i < to; i++ {
		if l := p.lines[i]; !l.fenced {
			r.read(i, l)
		}
	}
	r.flush()
	return named(r.out)
}

// itemReader holds the items read so far, and the words of the one being read.
type itemReader struct {
	source string
	lines  []line
	out    []Criterion
	indent int      // of the items of the first level
	open   bool     // the next line may go on with the item without indentation
	words  []string // joined once: a long item has many lines
	last   int      // index of the line of the last word
}

func (r *itemReader) read(i int, l line) {
	t := strings.TrimSpace(l.text)
	width, indent := marker(l.text)
	switch {
	case t == "":
		r.open = false
	case l.head || isRule(t):
		r.flush()
		r.open = false
	case width > 0:
		r.flush()
		r.begin(i, l.text[width:], indent)
	case len(r.out) > 0 && (indentOf(l.text) > r.indent || r.open && !strings.ContainsAny(t[:1], "|>")):
		r.words, r.last = append(r.words, t), i
	default:
		r.open = false
	}
}

// begin starts an item, below the last one where it is indented deeper.
func (r *itemReader) begin(i int, text string, indent int) {
	done, text := box(text)
	c := Criterion{Done: done, Source: r.source, Line: i + 1, Span: r.lines[i].span}
	if len(r.out) > 0 && indent > r.indent+1 {
		parent := &r.out[len(r.out)-1]
		parent.Items = append(parent.Items, c)
	} else {
		r.indent = indent
		r.out = append(r.out, c)
	}
	r.words, r.last = append(r.words, text), i
	r.open = true
}

func (r *itemReader) flush() {
	if len(r.words) == 0 {
		return
	}
	c := &r.out[len(r.out)-1]
	c.Span.End = r.lines[r.last].span.End
	if n := len(c.Items); n > 0 {
		c = &c.Items[n-1]
		c.Span.End = r.lines[r.last].span.End
	}
	c.Text = strings.TrimSpace(c.Text + " " + strings.Join(r.words, " "))
	r.words = r.words[:0]
}

// named leaves out boxes that nothing is written beside.
func named(all []Criterion) []Criterion {
	var out []Criterion
	for _, c := range all {
		c.Items = named(c.Items)
		if c.Text != "" {
			out = append(out, c)
		}
	}
	return out
}

// box reads a checkbox in front of an item's text.
func box(text string) (done bool, rest string) {
	if len(text) < 3 || text[0] != '[' || text[2] != ']' || !strings.ContainsAny(text[1:2], " xX~") {
		return false, text
	}
	if len(text) > 3 && text[3] != ' ' && text[3] != '\t' { // a link such as [x](y)
		return false, text
	}
	return text[1] == 'x' || text[1] == 'X', strings.TrimSpace(text[3:])
}

// marker measures the bullet or number in front of an item, with the space
// around it: its length in bytes, 0 for none, and the column that it stands in.
func marker(text string) (width, indent int) {
	t := strings.TrimLeft(text, " \t")
	n := 0
	switch {
	case t == "":
		return 0, 0
	case strings.ContainsAny(t[:1], "-*+"):
		n = 1
	default:
		for n < len(t) && n < 4 && t[n] >= '0' && t[n] <= '9' {
			n++
		}
		if n == 0 || n == 4 || n >= len(t) || (t[n] != '.' && t[n] != ')') {
			return 0, 0
		}
		n++
	}
	rest := strings.TrimLeft(t[n:], " \t")
	if rest == "" || len(rest) == len(t)-n {
		return 0, 0
	}
	return len(text) - len(rest), indentOf(text)
}

// isRule tells a line such as * * * from an item.
func isRule(t string) bool {
	if !strings.ContainsAny(t[:1], "-*_") {
		return false
	}
	rest := strings.Trim(t, t[:1]+" ")
	return rest == "" && strings.Count(t, t[:1]) >= 3
}
