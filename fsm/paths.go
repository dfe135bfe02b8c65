package fsm

// checkPaths refuses states that nothing reaches, states that never end, and
// edges that the engine would take for ever.
func (p *parser) checkPaths() {
	next, before, alone := map[string][]string{}, map[string][]string{}, map[string][]string{}
	for i, e := range p.l.edges {
		tos := p.l.targets(e)
		if len(tos) == 0 {
			p.at(p.edges[i].of("to"), "%s goes back from %s, to which no state with a task leads", e.Event, e.From)
		}
		for _, to := range tos {
			next[e.From] = append(next[e.From], to)
			before[to] = append(before[to], e.From)
			if e.Auto && len(e.Guards) == 0 {
				alone[e.From] = append(alone[e.From], to)
			}
		}
	}
	var ends []string
	for _, name := range p.l.order {
		if p.l.states[name].Terminal {
			ends = append(ends, name)
		}
	}
	reached, ending := reach(next, []string{p.l.initial}), reach(before, ends)
	for _, name := range p.l.order {
		line := p.states[name].of("")
		if !reached[name] {
			p.at(line, "the state %s cannot be reached from %s", name, p.l.initial)
		}
		if !ending[name] {
			p.at(line, "from the state %s no terminal state can be reached", name)
		}
		if reach(alone, alone[name])[name] {
			p.at(line, "from the state %s automatic edges without a guard lead back to it, for ever", name)
		}
	}
}

// targets are the states that an edge can lead to: one, or for an edge to Back
// those that a PRP can have come from. The engine remembers a working state when
// it leaves it for one where nobody works, and nothing else.
func (l *Lifecycle) targets(e Edge) []string {
	if e.To != Back {
		return []string{e.To}
	}
	if here := l.states[e.From]; here.Working() {
		return nil
	}
	var out []string
	seen := map[string]bool{}
	for _, in := range l.edges {
		if in.To == e.From && l.states[in.From].Working() && !seen[in.From] {
			seen[in.From] = true
			out = append(out, in.From)
		}
	}
	return out
}

// reach is all that can be reached, the starting points included.
func reach(next map[string][]string, from []string) map[string]bool {
	seen := map[string]bool{}
	for len(from) > 0 {
		s := from[0]
		from = from[1:]
		if !seen[s] {
			seen[s] = true
			from = append(from, next[s]...)
		}
	}
	return seen
}
