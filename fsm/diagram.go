package fsm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Mermaid draws the lifecycle as a Mermaid state diagram: an arrow for each
// edge, with its event and, in brackets, its guards.
func (l *Lifecycle) Mermaid() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	ids := l.mermaidIDs(&b)
	fmt.Fprintf(&b, "    [*] --> %s\n", ids[l.initial])
	for _, e := range l.edges {
		for _, to := range l.targets(e) {
			fmt.Fprintf(&b, "    %s --> %s: %s\n", ids[e.From], ids[to], mermaidText.Replace(label(e)))
		}
	}
	for _, name := range l.order {
		if l.states[name].Terminal {
			fmt.Fprintf(&b, "    %s --> [*]\n", ids[name])
		}
	}
	return b.String()
}

// mermaidText writes what would end a label, or be taken for HTML, as Mermaid's
// entities.
var mermaidText = strings.NewReplacer("#", "#35;", ";", "#59;", ":", "#58;", "<", "#lt;", "`", "#96;")

// Names that Mermaid reads as they are, and words that it takes for its own.
var (
	mermaidName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	mermaidWord = []string{
		"acctitle", "accdescr", "as", "class", "classdef", "click", "default", "direction", "end", "fork", "hide",
		"href", "join", "note", "scale", "state", "statediagram", "style",
	}
)

// mermaidIDs gives each state the id that it is drawn under, and declares those
// whose name cannot be the id.
func (l *Lifecycle) mermaidIDs(b *strings.Builder) map[string]string {
	ids := map[string]string{}
	for i, name := range l.order {
		ids[name] = name
		if !mermaidName.MatchString(name) || slices.Contains(mermaidWord, strings.ToLower(name)) {
			ids[name] = fmt.Sprintf("state_%d", i+1)
			fmt.Fprintf(b, "    state %q as %s\n", name, ids[name])
		}
	}
	return ids
}

// Dot draws the lifecycle for Graphviz: working states with their role, terminal
// ones with a double line, edges as in Mermaid.
func (l *Lifecycle) Dot() string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n", dotText(l.name))
	b.WriteString("  \"\" [shape=point];\n") // where a PRP comes in; no state has that name
	for _, name := range l.order {
		s := l.states[name]
		attributes := ""
		switch {
		case s.Working():
			attributes = fmt.Sprintf(" [label=%s]", dotText(name+"\n"+s.Role))
		case s.Terminal:
			attributes = " [peripheries=2]"
		}
		fmt.Fprintf(&b, "  %s%s;\n", dotText(name), attributes)
	}
	fmt.Fprintf(&b, "  \"\" -> %s;\n", dotText(l.initial))
	for _, e := range l.edges {
		for _, to := range l.targets(e) {
			fmt.Fprintf(&b, "  %s -> %s [label=%s];\n", dotText(e.From), dotText(to), dotText(label(e)))
		}
	}
	b.WriteString("}\n")
	return b.String()
}

var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// dotText quotes a text by Graphviz's rules, which are not Go's.
func dotText(text string) string { return `"` + dotEscapes.Replace(text) + `"` }

func label(e Edge) string {
	if len(e.Guards) == 0 {
		return e.Event
	}
	guards := make([]string, len(e.Guards))
	for i, g := range e.Guards {
		guards[i] = plain(oneLine(g))
	}
	return e.Event + " [" + strings.Join(guards, ", ") + "]"
}
