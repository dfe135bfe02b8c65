package fsm

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// outcomes of a run that a state may answer with an event. The others, retry
// and limited, only make the run happen later.
var outcomes = []string{"done", "rejected", "question", "failed"}

var priorities = []string{"P0", "P1", "P2", "P3"}

func (p *parser) state(key, v *yaml.Node) {
	s := State{Name: key.Value, Results: map[string]string{}}
	p.stateName(key)
	at := lines{"": key.Line}
	if v.Tag != "!!null" { // "complete:" with nothing behind it is a plain state
		at = p.each(v, "the state "+s.Name, func(k, v *yaml.Node) { p.stateKey(&s, k, v) })
		at[""] = key.Line
	}
	p.states[s.Name] = at
	p.l.order = append(p.l.order, s.Name)
	p.l.states[s.Name] = s
}

func (p *parser) stateName(key *yaml.Node) {
	switch name := key.Value; {
	case name == "" || key.Kind != yaml.ScalarNode:
		p.wrong(key, "a state needs a name")
	case name == Back || slices.Contains(reserved, name):
		p.wrong(key, "the name %q is reserved, no state may have it", name)
	default:
		p.name(key.Line, "state", name)
	}
}

func (p *parser) stateKey(s *State, k, v *yaml.Node) {
	key := k.Value
	switch key {
	case "role":
		s.Role = p.text(v, key)
	case "task":
		s.Task = p.text(v, key)
		p.name(v.Line, "task", s.Task)
	case "claim":
		s.Claim = p.text(v, key)
	case "results":
		p.each(v, key, func(k, v *yaml.Node) {
			if !slices.Contains(outcomes, k.Value) {
				p.wrong(k, "unknown outcome %q: results has %s", k.Value, strings.Join(outcomes, ", "))
			}
			s.Results[k.Value] = p.text(v, k.Value)
		})
	case "timeout":
		s.Timeout = p.duration(v, key)
	case "retry_delay":
		s.RetryDelay = p.duration(v, key)
	case "deadline":
		s.Deadline = p.duration(v, key)
	case "retries":
		n := p.number(v, key, 0)
		s.Retries = &n
	case "priority":
		if s.Priority = p.text(v, key); !slices.Contains(priorities, s.Priority) {
			p.wrong(v, "priority %q: use %s", s.Priority, strings.Join(priorities, ", "))
		}
	case "max_rejections":
		s.MaxRejections = p.number(v, key, 1)
	case "approval":
		s.Approval = p.flag(v, key)
	case "capacity":
		s.Capacity = p.number(v, key, 1)
	case "terminal":
		s.Terminal = p.flag(v, key)
	case "success":
		s.Success = p.flag(v, key)
	default:
		p.wrong(k, "unknown key %q in the state %s: a state has role, task, claim, results, timeout, retries, retry_delay, deadline, priority, max_rejections, approval, capacity, terminal, success", key, s.Name)
	}
}
