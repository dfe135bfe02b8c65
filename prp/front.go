package prp

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of one field of the front matter. A YAML parser takes far longer than
// the length of its text for some texts, so it is given little at a time.
const (
	maxField   = 4 << 10
	maxNesting = 64
)

var (
	keyRE         = regexp.MustCompile(`^["']?([A-Za-z][A-Za-z0-9 _.-]{0,39})["']?\s*(?::(?:\s|$)|=\s)`)
	assignRE      = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9 _.-]{0,39}?)\s*=\s`) // TOML between +++
	openerRE      = regexp.MustCompile(`^(?:name|title|description|prp_id|id|status)\s*:\s`)
	errField      = errors.New("too long or too deeply nested")
	errNotMapping = errors.New("not a key and a value")
)

// frontMatter reads the front matter key by key: the keys that mean nothing to
// us are left alone, and a broken one spoils no other. It stands between two
// lines ---, between two lines +++, or, where the first line is a key such as
// name:, without an opener up to a line --- or the first heading.
func (p *parser) frontMatter() {
	p.front = fields{}
	if from, end, closed := p.frontRange(); end > 0 {
		p.yaml(from, end, p.front)
		p.body = end
		if closed {
			p.body++
		}
	}
}

// frontRange is where the lines of the front matter stand, and whether the line
// after them closes it.
func (p *parser) frontRange() (from, end int, closed bool) {
	first := strings.TrimRight(p.lines[0].text, " \t")
	if first == "---" || first == "+++" {
		for i := 1; i < len(p.lines); i++ {
			if t := strings.TrimRight(p.lines[i].text, " \t"); t == first || (first == "---" && t == "...") {
				return 1, i, true
			}
		}
		return 0, 0, false
	}
	for from < len(p.lines) && strings.TrimSpace(p.lines[from].text) == "" {
		from++
	}
	if from == len(p.lines) || !openerRE.MatchString(p.lines[from].text) {
		return 0, 0, false
	}
	for i := from; i < len(p.lines); i++ {
		t := p.lines[i].text
		if strings.TrimRight(t, " \t") == "---" {
			return from, i, true
		}
		if _, _, ok := atx(t); ok {
			return from, i, false
		}
	}
	return 0, 0, false
}

// fencedMatter reads a block of YAML that stands between the title and the next
// heading.
func (p *parser) fencedMatter() {
	p.fenced = fields{}
	if len(p.blocks) == 0 {
		return
	}
	b := p.blocks[0]
	if b.lang != "yaml" && b.lang != "yml" {
		return
	}
	for i, h := range p.heads {
		if h.line < b.line && (i > 0 || h.level > 1) {
			return
		}
	}
	p.yaml(b.line+1, b.line+1+len(b.text), p.fenced)
}

// yaml reads the lines from to end.
func (p *parser) yaml(from, end int, into fields) {
	key, since := "", from
	read, broken := map[string]bool{}, false
	field := func(to int) {
		if knownKeys[key] && !read[key] {
			read[key] = true
			p.yamlField(key, since, to, into)
		}
	}
	for i := from; i < end; i++ {
		t := p.lines[i].text
		switch m := keyRE.FindStringSubmatch(t); {
		case m != nil:
			field(i)
			key, since = plain(m[1]), i
		case key == "" && !broken && strings.TrimSpace(t) != "" && !strings.HasPrefix(t, "#") && strings.TrimSpace(t) != "---":
			p.warnFront(i, errNotMapping)
			broken = true
		}
	}
	field(end)
}

func (p *parser) yamlField(key string, from, to int, into fields) {
	size := 0
	for _, l := range p.lines[from:to] {
		size += len(l.text) + 1
	}
	if size > maxField {
		p.warnFront(from, errField)
		return
	}
	var source strings.Builder
	for _, l := range p.lines[from:to] {
		if strings.TrimSpace(l.text) == "---" {
			continue // a rule in a fenced block
		}
		source.WriteString(assignRE.ReplaceAllString(l.text, "$1: ") + "\n")
	}
	v, err := yamlValue(source.String())
	if err != nil {
		p.warnFront(from, err)
		return
	}
	v.line, v.last = from, to-1
	for v.last > from && strings.TrimSpace(p.lines[v.last].text) == "" {
		v.last--
	}
	into.set(key, v)
}

func (p *parser) warnFront(at int, err error) {
	reason := "it is not YAML"
	if errors.Is(err, errField) || errors.Is(err, errNotMapping) {
		reason = "it is " + err.Error()
	}
	p.warn("front-matter", at, "this line of the front matter is not read: "+reason)
}

// yamlValue reads "key: value" with scalars as they are written, so that an id
// such as 46.1 stays text.
func yamlValue(source string) (v value, err error) {
	if strings.Count(source, "[")+strings.Count(source, "{") > maxNesting {
		return v, errField
	}
	defer func() { // a parser of foreign texts that is not ours must not take the process down
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(source), &doc); err != nil {
		return v, fmt.Errorf("yaml: %w", err)
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode || len(doc.Content[0].Content) < 2 {
		return v, errNotMapping
	}
	field := doc.Content[0].Content[1]
	if field.Kind == yaml.SequenceNode {
		v.list = true
		for _, item := range field.Content {
			v.items = append(v.items, clean(scalarOf(item)))
		}
	}
	v.text = scalarOf(field)
	return v, nil
}

func scalarOf(n *yaml.Node) string {
	var items []string
	switch n.Kind {
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return ""
		}
		return strings.TrimSpace(n.Value)
	case yaml.SequenceNode:
		for _, item := range n.Content {
			items = append(items, scalarOf(item))
		}
	case yaml.MappingNode: // "- PRP-21: what it is about"
		for i := 0; i+1 < len(n.Content); i += 2 {
			items = append(items, n.Content[i].Value+": "+scalarOf(n.Content[i+1]))
		}
	}
	return strings.Join(items, ", ")
}
