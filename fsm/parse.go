package fsm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Parse reads and checks a lifecycle; file is the name that its problems are
// told under. The error is a *LoadError.
func Parse(file string, source []byte) (*Lifecycle, error) { return parse(file, source, false) }

// ParseStored reads a lifecycle that an earlier version may have accepted, so
// that no PRP is stranded that began under it: its structure must hold, and what
// Parse has learned to refuse since is among the Warnings. name stands in the
// *LoadError for the file.
func ParseStored(name string, source []byte) (*Lifecycle, error) { return parse(name, source, true) }

func parse(file string, source []byte, stored bool) (*Lifecycle, error) {
	p := &parser{
		l:      &Lifecycle{source: slices.Clone(source), hash: hashOf(source), states: map[string]State{}},
		stored: stored,
		states: map[string]lines{},
	}
	p.document(source)
	if len(p.problems) == 0 {
		p.check()
	}
	if len(p.problems) > 0 {
		slices.SortStableFunc(p.problems, byLine)
		return nil, &LoadError{file, p.problems}
	}
	p.warn()
	return p.l, nil
}

// lines remembers where each key of a state or an edge stands; under "" is
// where the whole begins.
type lines map[string]int

// of is the line of a key, or of the whole where the key is not there.
func (l lines) of(key string) int {
	if line, ok := l[key]; ok {
		return line
	}
	return l[""]
}

// parser reads the tree of a file and collects what is wrong with it.
type parser struct {
	l        *Lifecycle
	stored   bool // see ParseStored
	problems []Problem
	root     lines
	states   map[string]lines
	edges    []lines // beside l.edges
}

// refuse notes what an author must change, and the engine could work with. A new
// check uses this; at is for what no version has ever accepted.
func (p *parser) refuse(line int, format string, args ...any) {
	if p.stored {
		p.warning(line, format, args...)
		return
	}
	p.at(line, format, args...)
}

// at notes a problem, once: an edge from many states has its faults only once.
func (p *parser) at(line int, format string, args ...any) {
	problem := Problem{max(line, 1), fmt.Sprintf(format, args...)}
	if !slices.Contains(p.problems, problem) {
		p.problems = append(p.problems, problem)
	}
}

func (p *parser) wrong(n *yaml.Node, format string, args ...any) {
	p.at(n.Line, format, args...)
}

// document reads a file that must hold exactly one YAML document.
func (p *parser) document(source []byte) {
	dec := yaml.NewDecoder(bytes.NewReader(source))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		p.at(1, "the file is empty")
		return
	case err != nil:
		p.problems = append(p.problems, notYAML(err))
		return
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		p.wrong(&second, "a second document begins here, a file holds one lifecycle")
		return
	case !errors.Is(err, io.EOF):
		p.problems = append(p.problems, notYAML(err))
		return
	}
	p.lifecycle(doc.Content[0])
}

func (p *parser) lifecycle(n *yaml.Node) {
	p.root = p.each(n, "a lifecycle", func(key, v *yaml.Node) {
		switch key.Value {
		case "name":
			p.l.name = p.text(v, "name")
		case "roles":
			p.l.roles = p.list(v, "roles")
			for _, role := range p.l.roles {
				p.name(v.Line, "role", role)
			}
		case "initial":
			p.l.initial = p.text(v, "initial")
		case "states":
			p.each(v, "states", p.state)
		case "edges":
			if v.Kind != yaml.SequenceNode {
				p.wrong(v, "edges is a list")
				return
			}
			for _, item := range v.Content {
				p.edge(item)
			}
		default:
			p.wrong(key, "unknown key %q: a lifecycle has name, roles, initial, states, edges", key.Value)
		}
	})
}

// each calls f for every key of a mapping and tells where the keys stand. A key
// that comes twice is refused: YAML libraries disagree about which one counts.
func (p *parser) each(n *yaml.Node, what string, f func(key, value *yaml.Node)) lines {
	n = target(n)
	at := lines{"": n.Line}
	if n.Kind != yaml.MappingNode {
		p.wrong(n, "%s must be a mapping of keys to values", what)
		return at
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if first, twice := at[key.Value]; twice && key.Value != "" {
			p.wrong(key, "%s has the key %q twice, the first is in line %d", what, key.Value, first)
			continue
		}
		at[key.Value] = key.Line
		f(key, target(n.Content[i+1]))
	}
	at[""] = n.Line
	return at
}

// target follows an alias (*name) to what it stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// nameRule is what can be said in a queue's name, a URL, a metric and a diagram.
var nameRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func (p *parser) name(line int, what, name string) {
	if name != "" && !nameRule.MatchString(name) {
		p.at(line, "the %s name %q: use letters, digits, dot, dash and underscore, beginning with a letter or digit", what, name)
	}
}
