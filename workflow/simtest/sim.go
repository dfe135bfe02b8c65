package simtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/memstore"
)

// Limits of a world.
const (
	faultSpan = 300              // faults happen within so many calls
	mostSteps = 60_000           // more is a world that never comes to rest
	longest   = 30 * time.Minute // so is a longer life, by its own clock
)

// Options of a world.
type Options struct {
	Seed  uint64
	Trace bool // keep a transcript
	Break Break
}

// Sim is one world.
type Sim struct {
	Options
	crew      *crew
	lifecycle *fsm.Lifecycle
	rng       *rand.Rand
	clock     time.Time
	disk      *memstore.Disk
	broker    *broker
	peers     *registry
	procs     []*process
	actors    []*actor
	ready     [64]*actor        // scratch of next
	recs      []workflow.Record // scratch of unrest
	cur       *actor

	calls     int
	faults    []fault
	moved     bool            // something may have come to rest since the last look
	told      map[string]bool // messages that are due -> have arrived
	quiet     bool            // no more faults; everybody helps to come to an end
	steps     int
	ids       int
	problem   error
	lines     []string
	asked     []*asked        // what persons asked for, and were told
	touched   map[string]bool // jobs whose tasks an operator has deleted or archived
	counted   map[string]bool // runs whose results count
	darkUntil time.Time       // end of the last outage
	darkFor   time.Duration   // and its length
	lookup    bool            // whether a dead process can be proven dead at once
}

// fault is something that happens at a call.
type fault struct {
	at   int
	kind faultKind
}

type faultKind int

const (
	crashBefore faultKind = iota // the process dies before the call
	crashAfter                   // it dies after the call took effect
	replyLost                    // the call takes effect, its answer is lost
	unanswered                   // the call does not arrive
	freeze                       // the process stands still for a while
	leaseLost                    // the broker gives up all who run something, and hands it out again
	outage                       // store, broker and registry are away for a while
	drain                        // the process is asked to end
	faultKinds
)

func (k faultKind) String() string {
	return [...]string{"crash before", "crash after", "reply lost", "unanswered", "freeze", "lease lost", "outage", "drain"}[k]
}

// Run lives through the world of a seed. The error is the promise that it broke.
func Run(o Options) error {
	var c crew
	defer c.close()
	return c.run(o).problem
}

// Transcript runs a seed once more and tells what happened in it.
func Transcript(o Options) []string {
	var c crew
	defer c.close()
	o.Trace = true
	s := c.run(o)
	return append(s.lines, fmt.Sprintf("seed %d: %v", o.Seed, s.problem))
}

// run lives through a world.
func (c *crew) run(o Options) *Sim {
	s := newSim(o, c)
	defer s.end()
	s.live()
	if s.problem == nil {
		s.checkAtRest()
	}
	return s
}

func newSim(o Options, c *crew) *Sim {
	s := &Sim{Options: o, crew: c, rng: rand.New(rand.NewPCG(o.Seed, 0x70727066)), clock: time.Unix(1_700_000_000, 0).UTC(), told: map[string]bool{}, touched: map[string]bool{}, counted: map[string]bool{}}
	s.disk = memstore.NewDisk(func() time.Time { return s.clock })
	s.broker = newBroker(s)
	s.peers = newRegistry(s)
	s.lifecycle = fsm.Default()
	if s.rng.IntN(4) == 0 {
		s.lifecycle = careful
	}
	if errCareful != nil {
		s.fail("%v", errCareful)
		return s
	}
	s.lookup = s.rng.IntN(2) == 0
	for range s.rng.IntN(5) {
		s.faults = append(s.faults, fault{s.rng.IntN(faultSpan), faultKind(s.rng.IntN(int(faultKinds)))})
	}
	slices.SortFunc(s.faults, func(a, b fault) int { return a.at - b.at })
	s.populate()
	return s
}

// live takes one step after the other until the world is at rest.
func (s *Sim) live() {
	start := s.clock
	for s.problem == nil {
		if s.steps++; s.steps > mostSteps || s.clock.Sub(start) > longest {
			s.fail("the world does not come to rest: %s", s.details())
			return
		}
		if !s.quiet && s.chaosIsOver() {
			s.quiet, s.moved = true, true
			s.say("no more faults")
		}
		if s.quiet && s.moved {
			s.moved = false
			if what, _ := s.unrest(); what == "" {
				return
			}
		}
		a := s.next()
		if a == nil {
			s.fail("nobody is left to do anything")
			return
		}
		s.resume(a)
	}
}

// chaosIsOver says that all faults have happened, or will not.
func (s *Sim) chaosIsOver() bool {
	if len(s.faults) > 0 && s.calls < faultSpan {
		return false
	}
	for _, p := range s.procs {
		if p.wishing {
			return false
		}
	}
	return true
}

// next picks one of those who can go on; where nobody can, time passes.
func (s *Sim) next() *actor {
	for {
		now, ready := s.clock.UnixNano(), 0
		soonest := int64(math.MaxInt64)
		for _, a := range s.actors {
			if at := a.at(); at <= now {
				s.ready[ready%len(s.ready)] = a
				ready++
			} else {
				soonest = min(soonest, at)
			}
		}
		if ready > 0 {
			return s.ready[s.rng.IntN(min(ready, len(s.ready)))]
		}
		if soonest == math.MaxInt64 {
			return nil
		}
		s.clock = time.Unix(0, soonest).UTC()
	}
}

// id is a name that is used once.
func (s *Sim) id(prefix string) string {
	s.ids++
	return fmt.Sprintf("%s%d", prefix, s.ids)
}

// fail notes the first promise that is broken.
func (s *Sim) fail(format string, args ...any) {
	if s.problem == nil {
		s.problem = fmt.Errorf(format, args...)
		s.say("BROKEN: %v", s.problem)
	}
}

// say adds a line to the transcript.
func (s *Sim) say(format string, args ...any) {
	if !s.Trace {
		return
	}
	who := "world"
	if s.cur != nil {
		who = s.cur.proc.name + "/" + s.cur.name
	}
	s.lines = append(s.lines, fmt.Sprintf("%9.3f %-22s %s", s.clock.Sub(time.Unix(1_700_000_000, 0)).Seconds(), who, fmt.Sprintf(format, args...)))
}

// end stops all coroutines.
func (s *Sim) end() {
	s.quiet = true
	for _, a := range slices.Clone(s.actors) {
		s.crew.dismiss(a.hand)
	}
}
