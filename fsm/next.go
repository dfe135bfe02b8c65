package fsm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	looplab "github.com/looplab/fsm"
)

// Why an event leads nowhere.
var (
	// ErrUnknownEvent is returned for an event that no edge of the lifecycle names.
	ErrUnknownEvent = errors.New("unknown event")
	// ErrNoEdge is returned for an event that has no edge from the state.
	ErrNoEdge = errors.New("the state does not allow it")
)

// Next is the edge that an event takes from a state. back is the state that an
// edge to Back returns to, "" where none is remembered. Guards are not looked
// at: Edge.Check does.
func (l *Lifecycle) Next(from, event, back string) (Edge, error) {
	m := move{from, event, back}
	if e, known := l.moves.Load(m); known {
		return e.(Edge).clone(), nil
	}
	e, err := l.decide(from, event, back)
	if err == nil {
		l.moves.Store(m, e.clone()) // there are no more of them than edges and states
	}
	return e, err
}

// move is a question to the lifecycle. Its answer never changes.
type move struct{ from, event, back string }

// decide asks looplab.
func (l *Lifecycle) decide(from, event, back string) (Edge, error) {
	if !slices.Contains(l.events, event) {
		return Edge{}, fmt.Errorf("%w %q: the lifecycle knows %s", ErrUnknownEvent, event, strings.Join(l.events, ", "))
	}
	// A machine per decision: a shared one races. It gets no callbacks, because it
	// would drop a misspelt one silently, and a context that cannot end, because
	// one that ends in the middle of a move leaves it stuck.
	machine := looplab.NewFSM(from, l.table(back), nil)
	err := machine.Event(context.WithoutCancel(context.TODO()), event)
	var same looplab.NoTransitionError // how it answers an edge from a state to itself
	if err != nil && !errors.As(err, &same) {
		return Edge{}, fmt.Errorf("%w: %s in the state %s, where %s", ErrNoEdge, event, from, l.possible(from, back))
	}
	e, _ := l.find(from, event)
	e.To = machine.Current()
	return e, nil
}

// table is the lifecycle as looplab takes it, edges to Back resolved. They are
// left out where no state of this lifecycle is remembered.
func (l *Lifecycle) table(back string) looplab.Events {
	table := make(looplab.Events, 0, len(l.edges))
	for _, e := range l.edges {
		if to, ok := l.resolve(e, back); ok {
			table = append(table, looplab.EventDesc{Name: e.Event, Src: []string{e.From}, Dst: to})
		}
	}
	return table
}

func (l *Lifecycle) resolve(e Edge, back string) (to string, ok bool) {
	to = e.To
	if to == Back {
		to = back
	}
	_, ok = l.states[to]
	return to, ok
}

// possible says what can happen in a state instead.
func (l *Lifecycle) possible(from, back string) string {
	var events []string
	for _, e := range l.Edges(from) {
		if _, ok := l.resolve(e, back); ok {
			events = append(events, e.Event)
		}
	}
	s, known := l.states[from]
	switch {
	case len(events) > 0:
		return "only " + strings.Join(events, ", ") + " can happen"
	case !known:
		return "which the lifecycle does not know, nothing can happen"
	case s.Terminal:
		return "which is terminal, nothing can happen"
	}
	return "nothing can happen"
}
