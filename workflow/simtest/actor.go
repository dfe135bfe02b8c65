package simtest

import (
	"slices"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// actor is a coroutine of a process.
type actor struct {
	name string
	proc *process
	wake int64 // unix nanoseconds
	hand *hand
}

// start begins an actor of a process.
func (p *process) start(name string, body func()) *actor {
	s := p.sim
	a := &actor{name: name, proc: p, wake: s.clock.UnixNano(), hand: s.crew.hire(body)}
	s.actors = append(s.actors, a)
	p.actors = append(p.actors, a)
	return a
}

// at is when the actor can go on.
func (a *actor) at() int64 { return max(a.wake, a.proc.frozenUntil) }

// resume lets an actor go on until it gives way.
func (s *Sim) resume(a *actor) {
	s.cur = a
	more := a.hand.goOn()
	s.cur = nil
	if !more {
		s.drop(a)
	}
	if a.proc.doomed {
		s.bury(a.proc)
	}
}

// drop stops an actor.
func (s *Sim) drop(a *actor) {
	s.crew.dismiss(a.hand)
	is := func(b *actor) bool { return a == b }
	s.actors = slices.DeleteFunc(s.actors, is)
	a.proc.actors = slices.DeleteFunc(a.proc.actors, is)
}

// bury stops what a dead process still had.
func (s *Sim) bury(p *process) {
	p.doomed, p.dead = false, true
	s.say("%s is dead", p.name)
	s.disturb(s.clock)
	for _, a := range slices.Clone(p.actors) {
		s.drop(a)
	}
	s.broker.orphan(p)
	s.restart(p)
}

// yield gives way to others.
func (s *Sim) yield() {
	a := s.cur
	a.hand.giveWay()
	s.cur = a
}

// sleep gives way for a while.
func (s *Sim) sleep(d time.Duration) {
	s.cur.wake = s.clock.Add(d).UnixNano()
	s.yield()
}

// call is a call to store, broker or registry: others go first, and what can
// go wrong may.
func call[T any](s *Sim, op, of string, f func() (T, error)) (T, error) {
	var none T
	s.yield()
	p := s.cur.proc
	kind, now := s.fault(p)
	if now {
		s.say("%s at %s %s", kind, op, of)
		s.disturb(s.clock)
	}
	switch {
	case !now:
	case kind == crashBefore:
		p.doomed = true
		panic(killed{})
	case kind == unanswered:
		return none, workflow.ErrUnavailable
	default:
		s.strike(p, kind)
	}
	if own := op == "save"; !own && (s.dark() || s.refuses(op)) { // a disk of one's own is always there
		return none, workflow.ErrUnavailable
	}
	v, err := f()
	if s.Trace {
		s.say("%s %s: %v", op, of, outcome(err))
	}
	switch {
	case !now:
	case kind == crashAfter:
		p.doomed = true
		panic(killed{})
	case kind == outageAfter:
		s.darken(time.Duration(1+s.rng.IntN(12)) * time.Second)
		return none, workflow.ErrUnavailable
	case kind == replyLost:
		return none, workflow.ErrUnavailable
	}
	return v, err
}

// strike does what goes wrong in the world rather than at a call.
func (s *Sim) strike(p *process, kind faultKind) {
	seconds := func(most int) time.Duration { return time.Duration(1+s.rng.IntN(most)) * time.Second }
	switch kind {
	case burst:
		p.burst = 2 + s.rng.IntN(7)
	case freeze:
		until := s.clock.Add(seconds(12) + time.Second)
		p.frozenUntil = until.UnixNano()
		s.disturb(until)
		if p.serves && until.After(s.weather.blinded) {
			s.weather.blinded = until
		}
		s.yield()
	case outage:
		s.darken(seconds(12))
	case refusal:
		s.refuse(seconds(14))
	case drain:
		p.drain()
	case leaseLost:
		s.broker.lapse()
	case damage:
		s.damageOne()
	case limited:
		s.limitOne()
	case failover, leaseFailover:
		s.failOver(kind == leaseFailover)
	}
}

func outcome(err error) string {
	if err != nil {
		return err.Error()
	}
	return "ok"
}

// fault tells whether the next fault happens at this call. Persons are spared
// crashes: they are no processes.
func (s *Sim) fault(p *process) (faultKind, bool) {
	s.calls++
	if s.quiet {
		return 0, false
	}
	if p.burst > 0 {
		p.burst--
		return replyLost + faultKind(s.rng.IntN(2)), true
	}
	if len(s.faults) == 0 || s.calls < s.faults[0].at {
		return 0, false
	}
	k := s.faults[0].kind
	s.faults = s.faults[1:]
	if p.person && (k == crashBefore || k == crashAfter || k == freeze || k == drain) {
		k = replyLost
	}
	return k, true
}

// do is a call without an answer.
func do(s *Sim, op, of string, f func() error) error {
	_, err := call(s, op, of, func() (struct{}, error) { return struct{}{}, f() })
	return err
}
