package fsm

import "slices"

// ofTask are the keys that say how a task is done, and nothing without one.
var ofTask = []string{"role", "timeout", "retries", "retry_delay", "priority", "max_rejections", "capacity"}

// ofResult are the keys that are looked at when a run has ended.
var ofResult = []string{"retries", "retry_delay", "max_rejections"}

// checkWork holds a state to what the engine needs to give out its task and to
// go on from each outcome.
func (p *parser) checkWork(s State) {
	at := p.states[s.Name]
	if s.Role != "" && !slices.Contains(p.l.roles, s.Role) {
		p.at(at.of("role"), "the state %s is for the role %q, which roles does not list", s.Name, s.Role)
	}
	if !s.Working() {
		p.checkIdle(s, at)
		return
	}
	if s.Role == "" {
		p.at(at.of("task"), "the state %s has a task and no role to do it", s.Name)
	}
	if s.Results["failed"] == "" {
		p.at(at.of("results"), "the state %s has a task, so its results must say which event follows failed", s.Name)
	}
	if s.Approval && s.Results["done"] == "" {
		p.refuse(at.of("approval"), "the state %s has approval, and its results have no done that a person could approve", s.Name)
	}
	for _, outcome := range outcomes {
		if event := s.Results[outcome]; event != "" {
			p.checkResult(s, outcome, event)
		}
	}
	if s.Claim != "" {
		p.checkClaim(s, at)
	}
}

// checkIdle refuses what is said about a task in a state without one.
func (p *parser) checkIdle(s State, at lines) {
	if s.Claim != "" {
		p.at(at.of("claim"), "the state %s has a claim event and no task to pick up", s.Name)
	}
	if len(s.Results) > 0 {
		p.at(at.of("results"), "the state %s has results and no task to give them", s.Name)
	}
	if s.Approval {
		p.refuse(at.of("approval"), "the state %s has approval and no task whose result a person could approve", s.Name)
	}
	for _, key := range ofTask {
		if line, written := at[key]; written {
			p.refuse(line, "the state %s has %s and no task to apply it to", s.Name, key)
		}
	}
}

// checkResult wants an edge for the event of an outcome, and one that whoever
// brings the outcome may fire.
func (p *parser) checkResult(s State, outcome, event string) {
	line := p.states[s.Name].of("results")
	e, at, ok := p.find(s.Name, event)
	if outcome == "failed" && len(e.Guards) > 0 {
		p.refuse(at.of("guard"), "%s follows the outcome failed of %s, so it has no guard: the engine must be able to fire it", event, s.Name)
	}
	switch {
	case !ok:
		p.at(line, "in the state %s the outcome %s gives the event %q, for which it has no edge", s.Name, outcome, event)
	case event == s.Claim:
		p.refuse(line, "in the state %s the outcome %s gives %s, which is the claim event: it has been fired before a run ends", s.Name, outcome, event)
	case outcome == "done" && s.Approval: // the agent proposes, a person fires
		if !e.Allows("person") {
			p.refuse(line, "the state %s has approval, so a person approves by %s, which a person may not fire: %s", s.Name, event, at.by(e))
		}
	case outcome == "failed": // by its result, or when the retries are used up
		if !e.Allows("agent") && !e.Allows("engine") {
			p.refuse(line, "in the state %s the outcome failed fires %s, which neither an agent nor the engine may fire: %s", s.Name, event, at.by(e))
		}
	case !e.Allows("agent"):
		p.refuse(line, "in the state %s the outcome %s fires %s, which an agent may not fire: %s", s.Name, outcome, event, at.by(e))
	}
}

// checkClaim wants the claim event to lead to where the same task goes on: the
// engine keeps the job and looks at nothing again.
func (p *parser) checkClaim(s State, at lines) {
	line := at.of("claim")
	e, edge, ok := p.find(s.Name, s.Claim)
	if !ok {
		p.at(line, "the state %s has the claim event %q, for which it has no edge", s.Name, s.Claim)
		return
	}
	if to, known := p.l.states[e.To]; known {
		if to.Task != s.Task || to.Role != s.Role {
			p.at(line, "the claim event %s leads from %s to %s, which must have the same task and role", s.Claim, s.Name, to.Name)
		}
		if to.Capacity != s.Capacity {
			p.refuse(line, "the claim event %s leads from %s to %s, which must have the same capacity: it is taken before the task is published", s.Claim, s.Name, to.Name)
		}
	}
	if !e.Allows("agent") {
		p.refuse(line, "in the state %s picking the task up fires %s, which an agent may not fire: %s", s.Name, s.Claim, edge.by(e))
	}
	if len(e.Guards) > 0 {
		p.refuse(edge.of("guard"), "%s is the claim event of %s, so it has no guard: put the guard on the edge to %s", e.Event, s.Name, s.Name)
	}
	if e.Auto {
		p.refuse(edge.of("auto"), "%s is the claim event of %s, so it is not auto: an agent fires it", e.Event, s.Name)
	}
	if e.Resets {
		p.refuse(edge.of("resets"), "%s is the claim event of %s, so it cannot reset anything: the task goes on", e.Event, s.Name)
	}
	p.checkClaimed(s, at)
}

// checkClaimed refuses what a state says about results that never come in it,
// because the claim has left it. A claim that leads here leaves the rest of the
// run here.
func (p *parser) checkClaimed(s State, at lines) {
	for _, in := range p.l.edges {
		if in.To == s.Name && in.Event == p.l.states[in.From].Claim {
			return
		}
	}
	if s.Approval {
		p.refuse(at.of("approval"), "the state %s has approval, and no run ends in it: the claim event %s leaves it first", s.Name, s.Claim)
	}
	for _, key := range ofResult {
		if line, written := at[key]; written {
			p.refuse(line, "the state %s has %s, and no run ends in it: the claim event %s leaves it first", s.Name, key, s.Claim)
		}
	}
}
