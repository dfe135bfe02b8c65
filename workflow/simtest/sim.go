package simtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/memstore"
)

// Limits of a world.
const (
	faultSpan = 300              // faults happen within so many calls
	mostSteps = 100_000          // more is a world that never comes to rest
	longest   = 30 * time.Minute // so is a longer life, by its own clock
	tick      = time.Second      // between two looks at the whole world
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
	kind      kind
	lifecycle *fsm.Lifecycle
	rng       *rand.Rand
	clock     time.Time
	disk      *memstore.Disk
	broker    *broker
	peers     *registry
	procs     []*process
	actors    []*actor
	ready     [64]*actor        // scratch of next
	recs      []workflow.Record // scratch of the looks at the whole world
	cur       *actor

	calls   int
	faults  []fault
	quiet   bool // no more faults; everybody helps to come to an end
	steps   int
	looked  time.Time // the last look at the whole world
	ids     int
	problem error
	lines   []string
	said    map[string]int // what sweepers said of a PRP -> how often
	asked   []*asked       // what persons asked for, and were told
	touched map[string]bool
	weather weather
	pace    pace
	want    wants
	given   map[string]tasks.Delivery // what runs handed in
	claims  map[string]claimed        // what runs were to be told
	texts   map[string][]string       // documents that were handed in -> what they depend on

	rerun    map[string]bool   // archived tasks that an operator had run again
	poisoned bool              // the PRP that kills was given up
	recs2    []workflow.Record // scratch of checkLease
}

// The world's own beginning of time.
var dawn = time.Unix(1_700_000_000, 0).UTC()

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
	s := &Sim{
		Options: o, crew: c, rng: rand.New(rand.NewPCG(o.Seed, 0x5eed)), clock: dawn,
		touched: map[string]bool{}, said: map[string]int{}, want: newWants(), pace: newPace(),
		given: map[string]tasks.Delivery{}, claims: map[string]claimed{}, texts: map[string][]string{}, rerun: map[string]bool{},
	}
	s.disk = memstore.NewDisk(func() time.Time { return s.clock })
	s.broker = newBroker(s)
	s.peers = newRegistry(s)
	if errLifecycles != nil {
		s.fail("%v", errLifecycles)
		return s
	}
	s.kind = s.chooseKind()
	s.lifecycle = lifecycles[s.kind.lifecycle]
	s.faults = s.chooseFaults()
	s.populate()
	return s
}

// live takes one step after the other until the world is at rest.
func (s *Sim) live() {
	for s.problem == nil {
		if s.steps++; s.steps > s.kind.steps || s.clock.Sub(dawn) > longest {
			s.fail("the world does not come to rest: %s", s.details())
			return
		}
		if !s.quiet && s.chaosIsOver() {
			s.quiet = true
			s.disturb(s.clock)
			s.say("no more faults")
		}
		if s.clock.Sub(s.looked) >= tick {
			s.looked = s.clock
			if s.lookAround() {
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

// lookAround looks at the whole world; true: it has come to rest.
func (s *Sim) lookAround() (rest bool) {
	s.recs = s.disk.Peeks(s.recs[:0])
	s.remember()
	s.checkPace()
	if !s.quiet {
		return false
	}
	what, _ := s.unrest()
	return what == ""
}

// chaosIsOver says that all faults have happened, or will not.
func (s *Sim) chaosIsOver() bool {
	if len(s.faults) > 0 && s.calls < faultSpan {
		return false
	}
	if s.kind.poison && !s.poisoned && s.clock.Sub(dawn) < 3*time.Minute {
		if r, _ := s.disk.Peek("PRP-1"); r.State != "cancelled" && r.State != "complete" {
			return false
		}
	}
	return !slices.ContainsFunc(s.procs, func(p *process) bool { return p.wishing })
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
	s.lines = append(s.lines, fmt.Sprintf("%9.3f %-22s %s", s.clock.Sub(dawn).Seconds(), who, fmt.Sprintf(format, args...)))
}

// end stops all coroutines.
func (s *Sim) end() {
	s.quiet = true
	for _, a := range slices.Clone(s.actors) {
		s.crew.dismiss(a.hand)
	}
}
