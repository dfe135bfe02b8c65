package simtest

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/prpflow/prpflow/fsm"
)

// kind is what sort of world a seed makes.
type kind struct {
	lifecycle int
	lookup    bool // a dead process can be proven dead at once
	noScan    bool // without the net, so that what is fast must be it by itself
	failovers bool
	still     bool // nothing goes wrong, and nobody sweeps
	agents    temper
	poison    bool // one PRP kills whoever works at it
	crowd     int  // PRPs, 0: a few
	steps     int
}

// temper is how agents do their work.
type temper int

const (
	fair     temper = iota
	clumsy          // runs fail
	careless        // evidence is missing
	strict          // work is rejected
	chatty          // agents ask
	tempers
)

func (s *Sim) chooseKind() kind {
	k := kind{lookup: s.rng.IntN(2) == 0, steps: mostSteps, lifecycle: max(0, s.rng.IntN(6)-2), agents: fair}
	switch s.rng.IntN(3) {
	case 0:
		k.failovers = true
	case 1:
		k.noScan = true
		k.still = s.rng.IntN(4) == 0
	}
	if s.rng.IntN(3) == 0 {
		k.agents = temper(s.rng.IntN(int(tempers)))
	}
	k.poison = s.rng.IntN(12) == 0 && !k.still
	switch n := s.rng.IntN(4000); {
	case n == 0:
		k.crowd = 620
	case n < 10:
		k.crowd = 130
	case n < 100:
		k.crowd = 8
	}
	if k.crowd > 100 {
		k.steps, k.failovers, k.agents, k.poison = 4_000_000, false, fair, false
		k.still = k.crowd == 130
	}
	if k.still {
		k.lifecycle = 0 // without deadlines
	}
	return k
}

// lifecycles are the default one and three others: a person has the last word
// in validation; stays have deadlines; two may merge at a time.
var lifecycles, errLifecycles = parseLifecycles()

func parseLifecycles() ([]*fsm.Lifecycle, error) {
	all := []*fsm.Lifecycle{fsm.Default()}
	for _, more := range []map[string]string{
		{"validation": "approval: true", "development": "deadline: 20s"},
		{"development": "deadline: 7s", "validation": "max_rejections: 2", "integration": "retries: 1"},
		{"integration": "capacity: 2", "assigned": "deadline: 15s"},
	} {
		text := fsm.Default().Source()
		for _, state := range []string{"assigned", "development", "validation", "integration"} {
			if more[state] == "" {
				continue
			}
			if more[state] == "capacity: 2" {
				text = bytes.Replace(text, []byte("capacity: 1"), []byte("capacity: 2"), 1)
				continue
			}
			text = bytes.Replace(text, []byte("\n  "+state+":"), []byte("\n  "+state+":\n    "+more[state]+"\n #"), 1)
		}
		lc, err := fsm.Parse("simulated", text)
		if err != nil {
			return nil, err
		}
		all = append(all, lc)
	}
	return all, nil
}

func inOrder(faults []fault) []fault {
	slices.SortFunc(faults, func(a, b fault) int { return cmp.Compare(a.at, b.at) })
	return faults
}
