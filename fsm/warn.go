package fsm

import (
	"fmt"
	"slices"
)

// cancel is the event of `prpflow cancel`.
const cancel = "cancel"

// Warnings are what is odd about the lifecycle and no reason to refuse it, in
// the order of its lines; after ParseStored also what Parse would refuse. The
// caller owns the list.
func (l *Lifecycle) Warnings() []Problem { return slices.Clone(l.warnings) }

// warn notes the states that a person cannot cancel a PRP in.
func (p *parser) warn() {
	for _, name := range p.l.order {
		if p.l.states[name].Terminal {
			continue
		}
		line := p.states[name].of("")
		switch e, at, ok := p.find(name, cancel); {
		case !ok:
			p.warning(line, "a PRP cannot be cancelled in the state %s: it has no edge for %s", name, cancel)
		case !e.Allows("person"):
			p.warning(line, "a person cannot cancel a PRP in the state %s: %s", name, at.by(e))
		}
	}
	slices.SortStableFunc(p.l.warnings, byLine)
}

func (p *parser) warning(line int, format string, args ...any) {
	odd := Problem{max(line, 1), fmt.Sprintf(format, args...)}
	if !slices.Contains(p.l.warnings, odd) {
		p.l.warnings = append(p.l.warnings, odd)
	}
}
