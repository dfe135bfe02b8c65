package fsm

import (
	"fmt"
	"strings"
)

// checkAuto refuses an automatic edge that the engine may not fire, or whose
// firing by the engine means nothing.
func (p *parser) checkAuto(e Edge, at lines) {
	if !e.Allows("engine") {
		p.refuse(at.of("by"), "%s is auto, but the engine may not fire it: %s", e.Event, at.by(e))
	}
	if e.Resets {
		p.refuse(at.of("resets"), "%s is auto and resets: a limit that the engine resets by itself is never reached", e.Event)
	}
	if s := p.l.states[e.From]; s.Working() && len(e.Guards) == 0 && e.Event != s.Claim {
		p.refuse(at.of("auto"), "%s is auto and has no guard, so the task of %s would never be done", e.Event, e.From)
	}
	for _, g := range e.guards {
		if g.onlyEvidence() {
			p.refuse(at.of("guard"), "%s is auto, and the engine has no evidence: the guard %q looks at nothing else", e.Event, g.text)
		}
	}
}

// onlyEvidence says whether the guard has the same value whenever no result comes.
func (g guard) onlyEvidence() bool {
	for _, f := range g.facts {
		if f[0] != "evidence" {
			return false
		}
	}
	return len(g.facts) > 0
}

// find is the edge of an event out of a state, and its lines.
func (p *parser) find(from, event string) (Edge, lines, bool) {
	for i, e := range p.l.edges {
		if e.From == from && e.Event == event {
			return e, p.edges[i], true
		}
	}
	return Edge{}, nil, false
}

// by says where an edge is kept for whom.
func (l lines) by(e Edge) string {
	return fmt.Sprintf("line %d says by %s", l.of("by"), strings.Join(e.By, ", "))
}
