package agents

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// file is an agents file; it knows in which line a key stands.
type file struct {
	path string
	tree yaml.Node
}

// decode reads the file as it is written.
func (f *file) decode(source []byte) (form fileForm, err error) {
	if err := yaml.Unmarshal(source, &f.tree); err != nil {
		return form, f.yamlError(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(source))
	d.KnownFields(true)
	if err := d.Decode(&form); err != nil && !errors.Is(err, io.EOF) {
		return form, f.yamlError(err)
	}
	var more yaml.Node
	if err := d.Decode(&more); err == nil {
		return form, fmt.Errorf("%s:%d: a second document begins here, a file holds one list of agents", f.path, max(more.Line, 1))
	} else if !errors.Is(err, io.EOF) {
		return form, f.yamlError(err)
	}
	return form, nil
}

// refuse puts file and line before a sentence; at is the path of the key, such as
// agents[0].exec.env, of which as much is used as the file has.
func (f *file) refuse(at string, err error) error {
	return fmt.Errorf("%s:%d: %w", f.path, f.line(at), err)
}

func (f *file) line(at string) int {
	line, n := 1, &f.tree
	if len(n.Content) > 0 {
		n = n.Content[0]
	}
	for _, step := range strings.Split(strings.ReplaceAll(at, "[", ".["), ".") {
		below, key := child(n, step)
		if below == nil {
			return line
		}
		n, line = below, key.Line
	}
	return line
}

// child finds what lies below a node under a key or an [index], and the node that a
// reader would look for.
func child(n *yaml.Node, step string) (below, key *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if i, err := strconv.Atoi(strings.Trim(step, "[]")); err == nil && n.Kind == yaml.SequenceNode && i < len(n.Content) {
		return n.Content[i], n.Content[i]
	}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == step {
			return n.Content[i+1], n.Content[i]
		}
	}
	return nil, nil
}

// The library's own words.
var (
	atLine       = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
	unknownField = regexp.MustCompile(`^field (.*) not found in type`)
	wrongType    = regexp.MustCompile("^cannot unmarshal !!(\\w+) (?:`.*` )?into (.*)$")
)

// yamlError turns the library's message, which may have many lines, into one sentence.
func (f *file) yamlError(err error) error {
	text := err.Error()
	if typed, ok := errors.AsType[*yaml.TypeError](err); ok && len(typed.Errors) > 0 {
		text = typed.Errors[0]
	}
	line := 1
	if m := atLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	if m := unknownField.FindStringSubmatch(text); m != nil {
		text = fmt.Sprintf("unknown key %q", m[1])
	} else if m := wrongType.FindStringSubmatch(text); m != nil {
		text = fmt.Sprintf("%s must be %s", f.keyAt(line, m[1]), kindOf(m[2]))
	}
	return fmt.Errorf("%s:%d: %s", f.path, max(line, 1), strings.TrimPrefix(oneLine(text), "yaml: "))
}

// whole is a number without a fraction, which the library would cut off.
type whole int

// UnmarshalYAML is yaml.Unmarshaler.
func (w *whole) UnmarshalYAML(n *yaml.Node) error {
	var i int
	if n.Tag != "!!int" || n.Decode(&i) != nil {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: cannot unmarshal %s into int", n.Line, n.Tag)}}
	}
	*w = whole(i)
	return nil
}

// keyAt names the last key in a line whose value is of a kind, or "what stands there".
func (f *file) keyAt(line int, kind string) (name string) {
	name = "what stands there"
	fits := func(n *yaml.Node) bool {
		switch kind {
		case "map":
			return n.Kind == yaml.MappingNode
		case "seq":
			return n.Kind == yaml.SequenceNode
		}
		return n.Kind == yaml.ScalarNode
	}
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for i, c := range n.Content {
			if n.Kind == yaml.MappingNode && i%2 == 0 && n.Content[i+1].Line == line && fits(n.Content[i+1]) {
				name = c.Value
			}
			walk(c)
		}
	}
	walk(&f.tree)
	return name
}

// kindOf says what a Go type is called in a file.
func kindOf(goType string) string {
	switch {
	case strings.HasPrefix(goType, "int"), strings.HasPrefix(goType, "*int"):
		return "a whole number"
	case goType == "bool":
		return "true or false"
	case goType == "string":
		return "a text"
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	}
	return "a group of keys"
}
