package fsm

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// actors are who an edge may be kept for.
var actors = []string{"agent", "person", "engine"}

func (p *parser) edge(n *yaml.Node) {
	var e Edge
	var from []string
	var fromLines []int
	at := p.each(n, "an edge", func(k, v *yaml.Node) {
		switch key := k.Value; key {
		case "event":
			e.Event = p.text(v, key)
			p.name(v.Line, "event", e.Event)
		case "from":
			from = p.list(v, key)
			for _, item := range items(v) {
				fromLines = append(fromLines, item.Line)
			}
		case "to":
			e.To = p.text(v, key)
		case "auto":
			e.Auto = p.flag(v, key)
		case "resets":
			e.Resets = p.flag(v, key)
		case "by":
			e.By = p.list(v, key)
			if v.Kind == yaml.SequenceNode && len(e.By) == 0 {
				p.refuse(v.Line, "by is an empty list: leave it out where anybody may fire the edge")
			}
			for i, by := range e.By {
				if by != "" && !slices.Contains(actors, by) {
					p.wrong(items(v)[i], "by %q: use agent, person or engine", by)
				}
			}
		case "guard":
			p.guards(&e, v)
		default:
			p.wrong(k, "unknown key %q in an edge: it has event, from, to, by, auto, guard, resets", key)
		}
	})
	if e.Event == "" || e.To == "" || len(from) == 0 {
		p.wrong(n, "an edge needs event, from and to")
		return
	}
	if !slices.Contains(p.l.events, e.Event) {
		p.l.events = append(p.l.events, e.Event)
	}
	for i, f := range from {
		e.From = f
		p.l.edges = append(p.l.edges, e)
		of := maps.Clone(at)
		of[""], of["from"] = n.Line, fromLines[i]
		p.edges = append(p.edges, of)
	}
}

func (p *parser) guards(e *Edge, v *yaml.Node) {
	e.Guards = p.list(v, "guard")
	for i, text := range e.Guards {
		if text == "" { // told already
			continue
		}
		g, err := compile(text)
		if err != nil && p.stored {
			p.refuse(items(v)[i].Line, "%s", err)
			g, err = compileStored(text)
		}
		if err != nil {
			p.wrong(items(v)[i], "%s", err)
		}
		e.guards = append(e.guards, g)
	}
}
