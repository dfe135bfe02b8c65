package simtest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/relay"
)

// How often processes do what they do again and again.
const (
	beatEvery   = 2 * time.Second
	sweepEvery  = 1500 * time.Millisecond
	resendEvery = 2 * time.Second
	takeEvery   = 2 * time.Second
	idle        = time.Hour // until somebody rings
)

// process is one life of a process.
type process struct {
	sim         *Sim
	name        string // what it is called again after a restart
	incarnation string
	person      bool
	wishing     bool // a person who still wants something
	serves      bool
	agents      []tasks.Agent
	actors      []*actor
	workers     []*worker
	disk        *saved // the machine's, not the process'

	draining    bool // it takes nothing more
	ending      bool // it waits for nothing more
	doomed      bool
	dead        bool
	frozenUntil int64 // unix nanoseconds

	engine     *workflow.Engine
	relay      *relay.Relay
	runs       []*run
	claiming   *tasks.Run
	delivering *tasks.Run
}

// saved are results on a machine's disk, by incarnation.
type saved struct {
	results map[string][]tasks.Delivery
}

// populate makes the processes of a world.
func (s *Sim) populate() {
	disk := &saved{map[string][]tasks.Delivery{}}
	two := s.rng.IntN(2) == 0
	first := []tasks.Agent{{Name: "dev-1", Role: "developer", Concurrency: 1}, {Name: "val", Role: "validator", Concurrency: 1}, {Name: "int", Role: "integrator", Concurrency: 1}}
	s.launch(&process{sim: s, name: "serve", serves: true, disk: disk})
	if s.rng.IntN(3) == 0 {
		s.launch(&process{sim: s, name: "serve-2", serves: true, disk: disk})
	}
	start := s.launch
	if s.rng.IntN(4) == 0 {
		start = func(p *process) { s.later(p, 5000) } // work waits for them
	}
	if two {
		start(&process{sim: s, name: "team-2", agents: []tasks.Agent{{Name: "dev-2", Role: "developer", Concurrency: 2}}, disk: disk})
	}
	start(&process{sim: s, name: "team-1", agents: first, disk: disk})
	s.launch(&process{sim: s, name: "ann", person: true})
}

// launch starts a process.
func (s *Sim) launch(p *process) {
	p.incarnation = s.id(p.name + ":")
	st := &store{s: s, p: p}
	worker := p.incarnation
	if p.person {
		worker = "" // a verb of the command line
	}
	st.Store = s.disk.Store(worker)
	engine, err := workflow.New(workflow.Config{
		Store: st, Broker: client{s.broker}, Registry: peers{s.peers}, Sweeper: p.incarnation, Active: s.lifecycle,
		Nonce: func() string { return s.id("n") }, Clock: func() time.Time { return s.clock },
	})
	if err == nil {
		p.engine = engine
		p.relay, err = relay.New(relay.Config{Outbox: st, Engine: engine, Broker: client{s.broker}, Inbox: inbox{s}})
	}
	if err != nil {
		s.fail("%s does not start: %v", p.name, err)
		return
	}
	s.procs = append(s.procs, p)
	if p.person {
		p.wishing = true
		p.start("hand", p.wishes)
		return
	}
	engine.SetSender(p.relay)
	p.start("main", p.main)
}

// restart brings a dead process back after a while, as a new life.
func (s *Sim) restart(p *process) {
	if strings.HasSuffix(p.name, "-2") && s.rng.IntN(2) == 0 {
		return // for good: others do the same
	}
	s.later(&process{sim: s, name: p.name, serves: p.serves, agents: p.agents, disk: p.disk}, 8000)
}

// later starts a process within so many milliseconds.
func (s *Sim) later(p *process, within int) {
	init := &process{sim: s, name: "init"}
	init.start(p.name, func() {
		s.sleep(time.Duration(s.rng.IntN(within)) * time.Millisecond)
		s.launch(p)
	})
}

// main makes the process known and starts its parts.
func (p *process) main() {
	ctx := context.Background()
	for p.sim.peers.beat(p) != nil { // the name may still be held by its former life
		p.sim.sleep(500 * time.Millisecond)
	}
	p.offerLeftovers(ctx)
	p.start("resend", func() {
		var seen map[string]bool
		for {
			p.sim.sleep(resendEvery)
			seen = p.relay.ResendSeen(ctx, seen)
		}
	})
	for _, a := range p.agents {
		for range a.Concurrency {
			p.work(a)
		}
	}
	if p.serves {
		p.start("take", func() {
			for {
				if took, err := p.relay.TakeOne(ctx, 0); !took || err != nil {
					p.sim.sleep(takeEvery)
				}
			}
		})
		p.start("sweep", func() {
			for {
				p.sim.sleep(sweepEvery)
				if p.sim.Break == BreakSweep {
					continue
				}
				if err := p.engine.Sweep(ctx); err != nil {
					p.sim.say("sweep: %v", err)
				}
			}
		})
	}
	for {
		p.sim.sleep(beatEvery)
		p.beat(ctx)
	}
}

// beat shows the process and stops the runs that are no longer current.
func (p *process) beat(ctx context.Context) {
	if err := p.sim.peers.beat(p); err != nil {
		p.sim.say("beat: %v", err)
		return
	}
	var runs []tasks.Run
	for _, r := range p.runs {
		if r.claimed {
			runs = append(runs, r.Run)
		}
	}
	stale, err := p.engine.Current(ctx, runs)
	if err != nil {
		return
	}
	for _, st := range stale {
		for _, r := range p.runs {
			if r.ID == st.ID {
				r.halted = true
			}
		}
	}
}

// shown is what a heartbeat shows.
func (p *process) shown() tasks.Process {
	shown := tasks.Process{Incarnation: p.incarnation, GoneAfter: goneAfter, Serves: p.serves}
	for _, a := range p.agents {
		a.Draining = p.draining
		for _, r := range p.runs {
			if r.Agent == a.Name {
				a.Running++
			}
		}
		shown.Agents = append(shown.Agents, a)
	}
	for _, r := range p.runs {
		shown.Runs = append(shown.Runs, r.Run)
	}
	return shown
}

// offerLeftovers delivers what former lives have left on the disk.
func (p *process) offerLeftovers(ctx context.Context) {
	for _, former := range p.sim.procs {
		if former.disk != p.disk || !former.dead || len(former.agents) == 0 || former.name != p.name {
			continue
		}
		for _, del := range p.disk.results[former.incarnation] {
			_, _ = p.deliver(ctx, del)
		}
		delete(p.disk.results, former.incarnation)
	}
}

// deliver repeats a delivery until it is answered.
func (p *process) deliver(ctx context.Context, del tasks.Delivery) (tasks.Verdict, error) {
	for {
		p.delivering = &del.Run
		v, err := p.engine.Deliver(ctx, del)
		p.delivering = nil
		if err == nil || isStale(err) || p.ending {
			return v, err
		}
		p.sim.sleep(300 * time.Millisecond)
	}
}

func (p *process) String() string { return fmt.Sprintf("%s (%s)", p.name, p.incarnation) }
