package fsm

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"maps"
	"slices"
	"sync"
	"time"
)

// Back is the target of an edge that returns to the remembered state.
const Back = "back"

// State is a place in the lifecycle and what it asks of an agent.
type State struct {
	Name          string
	Role          string            // role that works here
	Task          string            // task type; "" = nobody works here
	Claim         string            // event that picking the task up fires, "" = none
	Results       map[string]string // outcome of a run -> event
	Timeout       time.Duration     // bound on one run, 0 = the agent's
	RetryDelay    time.Duration     // delay before the first retry, 0 = the agent's
	Deadline      time.Duration     // bound on the stay, 0 = none
	Retries       *int              // runs after the first, nil = the agent's
	Priority      string            // for PRPs that state none
	MaxRejections int               // 0 = the engine's limit
	Approval      bool              // a person approves
	Capacity      int               // PRPs of one repository that may be worked on here, 0 = any number
	Terminal      bool              // the end
	Success       bool              // the end that dependants wait for
}

// Working says whether an agent works in the state.
func (s State) Working() bool { return s.Task != "" }

// Edge is what an event does in a state.
type Edge struct {
	Event  string
	From   string
	To     string   // Next answers with the state itself where the file says "back"
	Auto   bool     // the engine fires it as soon as the guards hold
	Resets bool     // counters of failures and rejections start again
	By     []string // agent, person, engine; empty = anybody (Allows)
	Guards []string // expressions that must all hold, as they stand in the file
	guards []guard  // the same, compiled
}

// Allows says whether an agent, a person or the engine may fire the edge.
func (e Edge) Allows(actor string) bool { return len(e.By) == 0 || slices.Contains(e.By, actor) }

func (e Edge) clone() Edge {
	e.By, e.Guards = slices.Clone(e.By), slices.Clone(e.Guards)
	return e
}

// Lifecycle is a checked lifecycle. It is immutable, and safe to be shared.
type Lifecycle struct {
	name     string
	source   []byte
	hash     string
	initial  string
	roles    []string
	order    []string
	states   map[string]State
	edges    []Edge
	events   []string
	warnings []Problem

	moves sync.Map // move -> Edge: what looplab has decided before
}

// Name is what the lifecycle calls itself.
func (l *Lifecycle) Name() string { return l.name }

// Source is the YAML that it was read from.
func (l *Lifecycle) Source() []byte { return slices.Clone(l.source) }

// Hash is the sha256 of the source, in hex.
func (l *Lifecycle) Hash() string { return l.hash }

// Initial is the state that a PRP begins in.
func (l *Lifecycle) Initial() string { return l.initial }

// Roles lists the roles in the order of the file.
func (l *Lifecycle) Roles() []string { return slices.Clone(l.roles) }

// States lists the states in the order of the file.
func (l *Lifecycle) States() []string { return slices.Clone(l.order) }

// Events lists the events in the order in which edges name them.
func (l *Lifecycle) Events() []string { return slices.Clone(l.events) }

// State looks a state up. The caller owns what it gets.
func (l *Lifecycle) State(name string) (State, bool) {
	s, ok := l.states[name]
	s.Results = maps.Clone(s.Results)
	if s.Retries != nil {
		retries := *s.Retries
		s.Retries = &retries
	}
	return s, ok
}

// Edges lists the edges that leave a state, in the order of the file. An edge
// to the remembered state has Back in To. The caller owns what it gets.
func (l *Lifecycle) Edges(from string) []Edge {
	var out []Edge
	for _, e := range l.edges {
		if e.From == from {
			out = append(out, e.clone())
		}
	}
	return out
}

// find is the edge of an event out of a state.
func (l *Lifecycle) find(from, event string) (Edge, bool) {
	i := slices.IndexFunc(l.edges, func(e Edge) bool { return e.From == from && e.Event == event })
	if i < 0 {
		return Edge{}, false
	}
	return l.edges[i].clone(), true
}

//go:embed lifecycle.yaml
var defaultSource []byte

var parseDefault = sync.OnceValues(func() (*Lifecycle, error) { return Parse("lifecycle.yaml", defaultSource) })

// Default is the lifecycle that is built in.
func Default() *Lifecycle {
	l, err := parseDefault()
	if err != nil { // not in a build whose tests have passed
		panic(err)
	}
	return l
}

func hashOf(source []byte) string {
	sum := sha256.Sum256(source)
	return hex.EncodeToString(sum[:])
}
