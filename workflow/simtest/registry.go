package simtest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

const goneAfter = 6 * time.Second

// registry knows the processes by their heartbeats.
type registry struct {
	s     *Sim
	order []string
	known map[string]*beats
}

type beats struct {
	shown tasks.Process
	owner *process
	n     int64
	at    time.Time
	left  bool
}

func newRegistry(s *Sim) *registry { return &registry{s: s, known: map[string]*beats{}} }

var errNameTaken = errors.New("the name is taken")

// beat shows a process; one whose agents another live process has is refused.
func (r *registry) beat(p *process) error {
	return do(r.s, "beat", "", func() error {
		for _, inc := range r.order {
			b := r.known[inc]
			if inc == p.incarnation || b.left || r.gone(b) {
				continue
			}
			for _, a := range b.shown.Agents {
				if slices.ContainsFunc(p.agents, func(mine tasks.Agent) bool { return mine.Name == a.Name }) {
					return errNameTaken
				}
			}
		}
		b := r.known[p.incarnation]
		if b == nil {
			b = &beats{owner: p}
			r.known[p.incarnation] = b
			r.order = append(r.order, p.incarnation)
			slices.Sort(r.order)
		}
		b.shown = p.shown()
		b.n++
		b.at = r.s.clock
		return nil
	})
}

func (r *registry) gone(b *beats) bool {
	return b.owner.dead && r.s.lookup || r.s.clock.Sub(b.at) >= goneAfter
}

// peers is a process' view of the registry.
type peers struct{ *registry }

func (v peers) Processes(context.Context) ([]tasks.Process, time.Time, error) {
	now := v.s.clock
	list, err := call(v.s, "processes", "", func() ([]tasks.Process, error) {
		now = v.s.clock
		var list []tasks.Process
		for _, inc := range v.order {
			b := v.known[inc]
			p := b.shown
			p.Beats, p.Seen, p.Left = b.n, b.at, b.left
			p.Dead = b.owner.dead && v.s.lookup
			list = append(list, p)
		}
		return list, nil
	})
	return list, now, err
}

func (v peers) Forget(_ context.Context, incarnation string) error {
	return do(v.s, "forget", incarnation, func() error {
		delete(v.known, incarnation)
		v.order = slices.DeleteFunc(v.order, func(o string) bool { return o == incarnation })
		return nil
	})
}
