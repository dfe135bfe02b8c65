package fsm

import "slices"

// reserved are names that no lifecycle may use: looplab's own (a machine with
// an event called "event" cannot tell it from all events), and what the engine
// does to a PRP in any state.
var reserved = []string{"state", "event", "pause", "resume", "undepend"}

// check refuses what is well written and makes no sense.
func (p *parser) check() {
	if len(p.l.order) == 0 {
		p.at(p.root.of("states"), "a lifecycle needs states")
		return
	}
	p.checkInitial()
	p.checkEdges()
	for i, e := range p.l.edges {
		if e.Auto {
			p.checkAuto(e, p.edges[i])
		}
	}
	for _, name := range p.l.order {
		p.checkWork(p.l.states[name])
		p.checkEnd(p.l.states[name])
	}
	p.checkSuccess()
	if len(p.problems) == 0 { // else every unknown name would be told twice
		p.checkPaths()
	}
}

func (p *parser) checkInitial() {
	line := p.root.of("initial")
	s, known := p.l.states[p.l.initial]
	switch {
	case p.l.initial == "":
		p.at(line, "a lifecycle needs initial, the state that a PRP begins in")
	case !known:
		p.at(line, "the initial state %q is not a state", p.l.initial)
	case s.Working(): // an edge asks for work, and no edge leads to the beginning
		p.at(line, "the initial state %s has a task, which nobody would be given: begin in a state without one", s.Name)
	}
}

func (p *parser) checkEdges() {
	type key struct{ from, event string }
	first := map[key]int{}
	for i, e := range p.l.edges {
		at := p.edges[i]
		if _, ok := p.l.states[e.From]; !ok {
			p.at(at.of("from"), "%s leaves the unknown state %q", e.Event, e.From)
		}
		if _, ok := p.l.states[e.To]; !ok && e.To != Back {
			p.at(at.of("to"), "%s leads to the unknown state %q", e.Event, e.To)
		}
		if slices.Contains(reserved, e.Event) {
			p.at(at.of("event"), "the name %q is reserved, no event may have it", e.Event)
		}
		k := key{e.From, e.Event}
		if other, twice := first[k]; twice {
			p.at(at.of("from"), "a second edge for %s from %s, the first is in line %d", e.Event, e.From, other)
			continue
		}
		first[k] = at.of("from")
	}
}

func (p *parser) checkEnd(s State) {
	at := p.states[s.Name]
	if s.Terminal && len(p.l.Edges(s.Name)) > 0 {
		p.at(at.of("terminal"), "the state %s is terminal and has edges that leave it", s.Name)
	}
	if s.Terminal && s.Working() {
		p.at(at.of("terminal"), "the state %s is terminal and has a task", s.Name)
	}
	if s.Success && !s.Terminal {
		p.at(at.of("success"), "the state %s is a success and not terminal", s.Name)
	}
	if s.Terminal && s.Deadline > 0 {
		p.refuse(at.of("deadline"), "the state %s is terminal and has a deadline", s.Name)
	}
}

// checkSuccess wants an end that lets dependants go.
func (p *parser) checkSuccess() {
	for _, s := range p.l.states {
		if s.Success {
			return
		}
	}
	p.refuse(p.root.of("states"), "no state has success: true, so whatever depends on a PRP would wait forever")
}
