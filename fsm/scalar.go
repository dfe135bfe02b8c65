package fsm

import (
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

func (p *parser) text(n *yaml.Node, key string) string {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "" {
		p.wrong(n, "%s is one text", key)
		return ""
	}
	return n.Value
}

// list takes a list of texts, or a text for a list of one.
func (p *parser) list(n *yaml.Node, key string) []string {
	var out []string
	for _, item := range items(n) {
		out = append(out, p.text(item, "an entry of "+key))
	}
	return out
}

func items(n *yaml.Node) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		return []*yaml.Node{n}
	}
	out := make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		out[i] = target(item)
	}
	return out
}

func (p *parser) flag(n *yaml.Node, key string) bool {
	var v bool
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Decode(&v) != nil {
		p.wrong(n, "%s is true or false", key)
	}
	return v
}

func (p *parser) number(n *yaml.Node, key string, least int) int {
	v, err := strconv.Atoi(n.Value) // the YAML library would cut 1.5 down to 1
	switch {
	case n.Kind != yaml.ScalarNode || err != nil || v < 0:
		p.wrong(n, "%s is a whole number, %d or more", key, least)
	case v < least:
		p.refuse(n.Line, "%s is a whole number, %d or more", key, least)
	}
	return v
}

// duration takes no zero: left out, the key means what the engine or the agent
// goes by, and a written 0 would too.
func (p *parser) duration(n *yaml.Node, key string) time.Duration {
	d, err := time.ParseDuration(n.Value)
	switch {
	case n.Kind != yaml.ScalarNode || err != nil || d < 0:
		p.wrong(n, "%s is a duration of more than 0, such as 30s, 15m or 2h", key)
	case d == 0:
		p.refuse(n.Line, "%s is a duration of more than 0, such as 30s, 15m or 2h", key)
	}
	return d
}
