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
	late  map[string]time.Time // when the last silence ended that was long enough to be taken for death
}

type beats struct {
	shown tasks.Process
	owner *process
	n     int64
	first time.Time
	at    time.Time
	left  bool
}

func newRegistry(s *Sim) *registry {
	return &registry{s: s, known: map[string]*beats{}, late: map[string]time.Time{}}
}

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
			b = &beats{owner: p, first: r.s.clock}
			r.known[p.incarnation] = b
			r.order = append(r.order, p.incarnation)
			slices.Sort(r.order)
		}
		if b.n > 0 && r.silence(b) >= goneAfter {
			r.late[p.incarnation] = r.s.clock
		}
		b.shown = p.shown()
		b.n++
		b.at = r.s.clock
		return nil
	})
}

// leave says good-bye.
func (r *registry) leave(p *process) error {
	return do(r.s, "leave", "", func() error {
		if b := r.known[p.incarnation]; b != nil {
			b.left = true
		}
		return nil
	})
}

// silence is how long a process has not been heard though it could have been.
// After a long time in which nobody could be heard, everybody has a while to
// connect again.
func (r *registry) silence(b *beats) time.Duration {
	at, w := b.at, &r.s.weather
	if r.s.blind() && w.muteUntil.After(at) && w.muteFrom.Sub(at) < goneAfter { // else it was judged before
		if at = w.muteUntil; !r.newSweeper(w.muteFrom) {
			at = at.Add(reconnectMax)
		}
	}
	return r.s.clock.Sub(at)
}

// newSweeper says whether a process that sweeps had seen nobody before then: it
// knows of no blindness.
func (r *registry) newSweeper(then time.Time) bool {
	return r.s.weather.blinded.After(then) || slices.ContainsFunc(r.s.procs, func(p *process) bool { return p.serves && (p.observed.IsZero() || !p.observed.Before(then)) })
}

// reconnectMax is the longest wait of a process before it connects again.
const reconnectMax = 5 * time.Second

// blindAfter is the outage that the sweep is to notice.
const blindAfter = 3 * time.Second

// thinking is how long a sweeper may take from its look at the registry to what
// it does about it, frozen meanwhile.
const thinking = 20 * time.Second

// mayBeJudged says whether others have reason to think that a process is gone,
// or had shortly before the given time or since.
func (r *registry) mayBeJudged(p *process, since time.Time) bool {
	b := r.known[p.incarnation]
	return p.dead || b == nil || b.left || r.late[p.incarnation].Add(thinking).After(since) || r.silence(b) >= goneAfter
}

func (r *registry) gone(b *beats) bool {
	return b.owner.dead && r.s.kind.lookup || r.s.clock.Sub(b.at) >= goneAfter
}

// peers is a process' view of the registry.
type peers struct{ *registry }

func (v peers) Processes(context.Context) ([]tasks.Process, time.Time, error) {
	now := v.s.clock
	list, err := call(v.s, "processes", "", func() ([]tasks.Process, error) {
		now = v.s.clock
		if p := v.s.cur.proc; p.serves && p.observed.IsZero() {
			p.observed = now
		}
		list := make([]tasks.Process, 0, len(v.order))
		for _, inc := range v.order {
			b := v.known[inc]
			p := b.shown
			p.Beats, p.Seen, p.Left = b.n, b.at, b.left
			p.Dead = b.owner.dead && v.s.kind.lookup || v.s.Break == BreakHasty && now.Sub(b.at) > time.Second
			list = append(list, p)
		}
		return list, nil
	})
	return list, now, err
}

// Probe writes, as a heartbeat does.
func (v peers) Probe(context.Context, string) error {
	return do(v.s, "probe", "", func() error { return nil })
}

func (v peers) Forget(_ context.Context, p tasks.Process) error {
	incarnation := p.Incarnation
	return do(v.s, "forget", incarnation, func() error {
		if b := v.known[incarnation]; b == nil || b.n != p.Beats {
			return nil
		}
		if b := v.known[incarnation]; b != nil && !v.mayBeJudged(b.owner, v.s.clock) {
			v.s.fail("%s is forgotten, and lives", b.owner)
		}
		if b := v.known[incarnation]; b != nil && v.silence(b) >= goneAfter {
			v.late[incarnation] = v.s.clock
		}
		delete(v.known, incarnation)
		v.order = slices.DeleteFunc(v.order, func(o string) bool { return o == incarnation })
		return nil
	})
}
