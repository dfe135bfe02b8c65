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
	for _, name := range p.l.order {
		p.checkWork(p.l.states[name])
		p.checkEnd(p.l.states[name])
	}
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

// checkWork holds a state to what the engine needs to give out its task and to
// go on from each outcome.
func (p *parser) checkWork(s State) {
	at := p.states[s.Name]
	if s.Role != "" && !slices.Contains(p.l.roles, s.Role) {
		p.at(at.of("role"), "the state %s is for the role %q, which roles does not list", s.Name, s.Role)
	}
	if !s.Working() {
		if s.Claim != "" {
			p.at(at.of("claim"), "the state %s has a claim event and no task to pick up", s.Name)
		}
		if len(s.Results) > 0 {
			p.at(at.of("results"), "the state %s has results and no task to give them", s.Name)
		}
		return
	}
	if s.Role == "" {
		p.at(at.of("task"), "the state %s has a task and no role to do it", s.Name)
	}
	if s.Results["failed"] == "" {
		p.at(at.of("results"), "the state %s has a task, so its results must say which event follows failed", s.Name)
	}
	for _, outcome := range outcomes {
		if event := s.Results[outcome]; event != "" {
			if _, ok := p.l.find(s.Name, event); !ok {
				p.at(at.of("results"), "in the state %s the outcome %s gives the event %q, for which it has no edge", s.Name, outcome, event)
			}
		}
	}
	p.checkClaim(s, at.of("claim"))
}

// checkClaim wants the claim event to lead to where the same task goes on: the
// engine keeps the job.
func (p *parser) checkClaim(s State, line int) {
	if s.Claim == "" {
		return
	}
	e, ok := p.l.find(s.Name, s.Claim)
	if !ok {
		p.at(line, "the state %s has the claim event %q, for which it has no edge", s.Name, s.Claim)
		return
	}
	if to, known := p.l.states[e.To]; known && (to.Task != s.Task || to.Role != s.Role) {
		p.at(line, "the claim event %s leads from %s to %s, which must have the same task and role", s.Claim, s.Name, to.Name)
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
}
