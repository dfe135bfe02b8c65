package simtest

import (
	"fmt"
	"time"

	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/memstore"
)

// fault is something that happens at a call.
type fault struct {
	at   int
	kind faultKind
}

type faultKind int

const (
	crashBefore   faultKind = iota // the process dies before the call
	crashAfter                     // it dies after the call took effect
	replyLost                      // the call takes effect, its answer is lost
	unanswered                     // the call does not arrive
	burst                          // so it goes with the process' next calls
	freeze                         // the process stands still for a while
	leaseLost                      // the broker gives up all who run something, and hands it out again
	outage                         // store, broker and registry are away for a while
	outageAfter                    // so they are, and the call has taken effect
	refusal                        // reads are answered, writes are refused for a while
	drain                          // the process is asked to end
	damage                         // a record cannot be read for a while
	limited                        // an agent takes no work for a while
	failover                       // the store goes back to what it was a second ago
	leaseFailover                  // so do the merge leases
	faultKinds
)

func (k faultKind) String() string {
	return [...]string{
		"crash before", "crash after", "reply lost", "unanswered", "burst", "freeze", "lease lost", "outage", "outage after", "refusal", "drain",
		"damage", "limited", "failover", "lease failover",
	}[k]
}

// chooseFaults draws what goes wrong in a world.
func (s *Sim) chooseFaults() []fault {
	var all []fault
	if s.kind.still {
		return nil
	}
	for range s.rng.IntN(6) {
		f := fault{s.rng.IntN(faultSpan), faultKind(s.rng.IntN(int(failover)))}
		if f.kind == damage && s.kind.noScan {
			f.kind = outage // the net is what comes back to a record that could not be read
		}
		all = append(all, f)
	}
	if s.kind.failovers {
		for range 1 + s.rng.IntN(2) {
			all = append(all, fault{s.rng.IntN(faultSpan), failover + faultKind(s.rng.IntN(2))})
		}
	}
	return inOrder(all)
}

// weather is what is wrong with the shared parts of the world.
type weather struct {
	darkUntil   time.Time // nothing answers
	refuseUntil time.Time // nothing can be written
	beatsOnly   bool      // or no heartbeats, which are kept elsewhere than the rest
	muteFrom    time.Time // heartbeats could not be written, the last time
	dimFrom     time.Time // or had hardly been possible
	muteUntil   time.Time
	blinded     time.Time // a sweeper stood still until then
	masked      time.Time // a task was in the hands of a dead process
	calm        time.Time // nothing has gone wrong since, and a while before

	past    []memory // what the store was at the last looks, the oldest first
	rolled  time.Time
	rolls   int
	damaged map[string]bool // ids of records that could not be read
}

// memory is a replica that lags, and what the world expected then.
type memory struct {
	at   time.Time
	disk *memstore.Disk
	want wants
}

// disturb says that the world has a right to be slow until a while after then.
func (s *Sim) disturb(until time.Time) {
	if until.After(s.weather.calm) {
		s.weather.calm = until
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (s *Sim) dark() bool     { return s.clock.Before(s.weather.darkUntil) }
func (s *Sim) refusing() bool { return s.clock.Before(s.weather.refuseUntil) }

// mute notes that no heartbeat can be written for a while.
func (s *Sim) mute(d time.Duration) {
	w, until := &s.weather, s.clock.Add(d)
	if s.clock.Sub(w.muteUntil) > time.Second {
		w.dimFrom = s.clock
	}
	if !s.clock.Before(w.muteUntil) {
		w.muteFrom = s.clock
	}
	if until.After(w.muteUntil) {
		w.muteUntil = until
	}
	s.disturb(until)
}

// darken begins an outage: nothing that is shared answers.
func (s *Sim) darken(d time.Duration) {
	s.weather.darkUntil = later(s.weather.darkUntil, s.clock.Add(d))
	s.mute(d)
}

// refuse lets reads pass and nothing else.
func (s *Sim) refuse(d time.Duration) {
	s.weather.beatsOnly = !s.refusing() && s.rng.IntN(3) == 0
	s.weather.refuseUntil = later(s.weather.refuseUntil, s.clock.Add(d))
	s.mute(d)
}

// blind says whether the last silence of the world was one that a sweep notices.
func (s *Sim) blind() bool { return s.weather.muteUntil.Sub(s.weather.muteFrom) > blindAfter }

// dim says whether it was one that a sweep may notice.
func (s *Sim) dim() bool {
	return s.weather.muteUntil.Sub(s.weather.dimFrom) > blindAfter-2*time.Second
}

// refuses says whether a call is refused now.
func (s *Sim) refuses(op string) bool {
	switch {
	case !s.refusing() || reads[op]:
		return false
	case s.weather.beatsOnly:
		return op == "beat" || op == "probe" || op == "leave" || op == "forget"
	}
	return true
}

// reads are the calls that change nothing.
var reads = map[string]bool{
	"load": true, "load many": true, "due": true, "request": true, "held": true, "dependants": true, "in outbox": true, "published": true,
	"scan published": true, "scan": true, "lease members": true, "lease names": true, "document": true, "lifecycle": true,
	"states": true, "list": true, "queues": true, "queues of": true, "processes": true, "save": true,
}

// remember keeps what the store is now, for a failover.
func (s *Sim) remember() {
	if !s.kind.failovers || s.quiet {
		return
	}
	w := &s.weather
	w.past = append(w.past, memory{s.clock, s.disk.Snapshot(), s.want.clone()})
	if len(w.past) > 3 {
		w.past = w.past[1:]
	}
}

// fail over to a replica that lags by a second or so.
func (s *Sim) failOver(leases bool) {
	w := &s.weather
	if len(w.past) == 0 || s.clock.Sub(w.past[len(w.past)-1].at) > 3*time.Second {
		return
	}
	to := w.past[len(w.past)-1]
	w.rolled = s.clock
	w.rolls++
	s.disk.Failover(to.disk, leases)
	s.disturb(s.clock)
	if leases {
		return
	}
	s.want = to.want.clone()
	for _, a := range s.asked {
		a.lost = true
	}
	for _, r := range s.disk.Peeks(nil) {
		if job := r.Job(); job != nil {
			s.touched[job.ID] = true
		}
	}
}

// damageOne makes a record unreadable for a while.
func (s *Sim) damageOne() {
	recs := s.disk.Peeks(nil)
	if len(recs) == 0 {
		return
	}
	id := recs[s.rng.IntN(len(recs))].ID
	if s.weather.damaged[id] {
		return
	}
	if s.weather.damaged == nil {
		s.weather.damaged = map[string]bool{}
	}
	s.weather.damaged[id] = true
	s.say("%s cannot be read", id)
	s.disk.Damage(id, fmt.Errorf("record %s: %w: it is damaged", id, workflow.ErrUnreadable))
	d := time.Duration(2+s.rng.IntN(60)) * time.Second
	init := &process{sim: s, name: "doctor"}
	init.start(id, func() {
		s.sleep(d)
		s.say("%s can be read again", id)
		s.disk.Damage(id, nil)
		s.sleep(35 * time.Second) // until it is looked at again
		delete(s.weather.damaged, id)
	})
}

// limitOne lets an agent take no work for a while.
func (s *Sim) limitOne() {
	for _, k := range s.rng.Perm(len(s.procs)) {
		p := s.procs[k]
		if p.dead || len(p.agents) == 0 {
			continue
		}
		a := &p.agents[s.rng.IntN(len(p.agents))]
		until := s.clock.Add(time.Duration(3+s.rng.IntN(40)) * time.Second)
		h := p.health(a.Name)
		until = later(until, h.until)
		h.until, h.unwell, h.since = until, s.rng.IntN(3) == 0, s.clock
		s.say("%s takes no work until %s", a.Name, until.Format("15:04:05"))
		return
	}
}
