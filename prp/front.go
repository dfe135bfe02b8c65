package prp

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	yamlparser "github.com/goccy/go-yaml/parser"
)

// Bounds of one field of the front matter. A YAML parser takes far longer than
// the length of its text for some texts, so it is given little at a time.
const (
	maxField   = 4 << 10
	maxNesting = 64
)

var (
	keyRE         = regexp.MustCompile(`^["']?([A-Za-z][A-Za-z0-9 _.-]{0,39})["']?\s*:(?:\s|$)`)
	errField      = errors.New("too long or too deeply nested")
	errNotMapping = errors.New("not a key and a value")
)

// frontMatter reads YAML between two lines ---, key by key: the ones that mean
// nothing to us are left alone, and a broken one spoils no other.
func (p *parser) frontMatter() {
	p.front = fields{}
	end := p.frontEnd()
	if end == 0 {
		return
	}
	p.body = end + 1
	key, from := "", 0
	read := map[string]bool{}
	field := func(to int) {
		if knownKeys[key] && !read[key] {
			read[key] = true
			p.frontField(key, from, to)
		}
	}
	for i := 1; i < end; i++ {
		t := p.lines[i].text
		if m := keyRE.FindStringSubmatch(t); m != nil {
			field(i)
			key, from = plain(m[1]), i
		} else if from == 0 && strings.TrimSpace(t) != "" && !strings.HasPrefix(t, "#") {
			p.warnFront(i, errNotMapping)
			from = i
		}
	}
	field(end)
}

// frontEnd is the line that closes the front matter, 0 without one.
func (p *parser) frontEnd() int {
	if strings.TrimRight(p.lines[0].text, " \t") != "---" {
		return 0
	}
	for i := 1; i < len(p.lines); i++ {
		if t := strings.TrimRight(p.lines[i].text, " \t"); t == "---" || t == "..." {
			return i
		}
	}
	return 0
}

func (p *parser) frontField(key string, from, to int) {
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
		source.WriteString(l.text + "\n")
	}
	v, err := yamlValue(source.String())
	if err != nil {
		p.warnFront(from, err)
		return
	}
	v.line = from
	p.front.set(key, v)
}

func (p *parser) warnFront(at int, err error) {
	reason := "it is not YAML"
	if errors.Is(err, errField) || errors.Is(err, errNotMapping) {
		reason = "it is " + err.Error()
	}
	p.warn("front-matter", at, "this line of the front matter is not read: "+reason, "mend it, or state the field as a bold line under the title")
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
	file, err := yamlparser.ParseBytes([]byte(source), 0)
	if err != nil {
		return v, fmt.Errorf("yaml: %w", err)
	}
	if len(file.Docs) == 0 {
		return v, errNotMapping
	}
	body := file.Docs[0].Body
	if m, ok := body.(*ast.MappingNode); ok && len(m.Values) > 0 {
		body = m.Values[0]
	}
	pair, ok := body.(*ast.MappingValueNode)
	if !ok {
		return v, errNotMapping
	}
	if list, ok := pair.Value.(*ast.SequenceNode); ok {
		v.list = true
		for _, item := range list.Values {
			v.items = append(v.items, clean(scalarOf(item)))
		}
	}
	v.text = scalarOf(pair.Value)
	return v, nil
}

func scalarOf(n ast.Node) string {
	switch v := n.(type) {
	case nil, *ast.NullNode, *ast.AliasNode:
		return ""
	case *ast.SequenceNode:
		items := make([]string, 0, len(v.Values))
		for _, item := range v.Values {
			items = append(items, scalarOf(item))
		}
		return strings.Join(items, ", ")
	case *ast.MappingValueNode: // "- PRP-21: what it is about"
		return v.Key.String() + ": " + scalarOf(v.Value)
	case *ast.MappingNode:
		items := make([]string, 0, len(v.Values))
		for _, item := range v.Values {
			items = append(items, scalarOf(item))
		}
		return strings.Join(items, ", ")
	case *ast.TagNode:
		return scalarOf(v.Value)
	case *ast.AnchorNode:
		return scalarOf(v.Value)
	case *ast.StringNode:
		return v.Value
	case *ast.LiteralNode:
		return scalarOf(v.Value)
	}
	if t := n.GetToken(); t != nil {
		return strings.TrimSpace(t.Value)
	}
	return ""
}
