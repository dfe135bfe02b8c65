package simtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/relay"
	"github.com/prpflow/prpflow/workflow/sweep"
)

// How often processes do what they do again and again.
const (
	beatEvery   = 2 * time.Second
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
	frozenUntil int64              // unix nanoseconds
	burst       int                // calls to come that go wrong
	observed    time.Time          // when it saw the registry first
	state       map[string]*health // of its agents

	engine     *engine.Engine
	relay      *relay.Relay
	sweeper    *sweep.Sweeper
	runs       []*run
	claiming   *tasks.Run
	delivering *tasks.Run
}

// saved are results on a machine's disk, by incarnation.
type saved struct {
	results map[string][]tasks.Delivery
}

// health is how an agent is.
type health struct {
	until  time.Time // it takes no work before
	unwell bool
	since  time.Time // the last change
}

func (p *process) health(agent string) *health {
	h := p.state[agent]
	if h == nil {
		h = &health{}
		if p.state == nil {
			p.state = map[string]*health{}
		}
		p.state[agent] = h
	}
	return h
}

// poor says whether an agent takes no work now.
func (p *process) poor(agent string) bool {
	h := p.state[agent]
	return h != nil && h.until.After(p.sim.clock)
}

// populate makes the processes of a world.
func (s *Sim) populate() {
	disk := &saved{map[string][]tasks.Delivery{}}
	two := s.rng.IntN(2) == 0
	first := []tasks.Agent{{Name: "dev-1", Role: "developer", Concurrency: 1}, {Name: "val", Role: "validator", Concurrency: 1}, {Name: "int", Role: "integrator", Concurrency: 1}}
	if s.rng.IntN(3) == 0 {
		first[2].Concurrency = 2
	}
	if s.rng.IntN(3) == 0 {
		first[2].Repo = "/srv/x/"
	}
	s.launch(&process{sim: s, name: "serve", serves: true, disk: disk})
	if s.rng.IntN(3) == 0 {
		s.launch(&process{sim: s, name: "serve-2", serves: true, disk: disk})
	}
	start := s.launch
	if !s.kind.still && s.rng.IntN(4) == 0 {
		start = func(p *process) { s.later(p, 5000) } // work waits for them
	}
	if two {
		start(&process{sim: s, name: "team-2", agents: []tasks.Agent{{Name: "dev-2", Role: "developer", Concurrency: 2}}, disk: disk})
	}
	if two && s.rng.IntN(4) == 0 {
		start(&process{sim: s, name: "team-3", agents: []tasks.Agent{{Name: "int-2", Role: "integrator", Concurrency: 1}}, disk: disk})
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
	err := p.assemble(st)
	if err != nil {
		s.fail("%s does not start: %v", p.name, err)
		return
	}
	s.disturb(s.clock)
	s.procs = append(s.procs, p)
	if p.person {
		p.wishing = true
		p.start("hand", p.wishes)
		return
	}
	p.engine.SetSender(p.relay)
	p.start("main", p.main)
}

// assemble ties a process together as a program does, but nothing in it runs
// beside anything else.
func (p *process) assemble(st *store) (err error) {
	s := p.sim
	clock := func() time.Time { return s.clock }
	broker, registry := client{s.broker}, peers{s.peers}
	p.engine, err = engine.New(engine.Config{
		Store: st, Broker: broker, Registry: registry, Active: s.lifecycle, Nonce: func() string { return s.id("n") }, Clock: clock, Parallel: 1,
	})
	if err != nil {
		return err
	}
	if p.relay, err = relay.New(relay.Config{Outbox: st, Engine: p.engine, Broker: broker, Inbox: inbox{s}}); err != nil || !p.serves {
		return err
	}
	p.sweeper, err = sweep.New(sweep.Config{
		Engine: p.engine, Store: st, Broker: broker, Registry: registry, Self: p.incarnation, Clock: clock, Log: slog.New(listener{s, p}),
	})
	return err
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
	s := p.sim
	if p.serves {
		p.start("take", func() {
			for {
				if took, err := p.relay.TakeOne(ctx, 0); !took || err != nil {
					p.sim.sleep(takeEvery)
				}
			}
		})
		if !s.kind.still {
			p.sweep(ctx)
		}
	}
	for {
		p.sim.sleep(beatEvery)
		p.beat(ctx)
	}
}

// sweep starts the duties of a sweeper, each an actor of its own.
func (p *process) sweep(ctx context.Context) {
	s := p.sim
	for _, d := range p.sweeper.Duties() {
		if d.Name == "scan" && s.kind.noScan || s.Break == BreakSweep {
			continue
		}
		p.start(d.Name, func() {
			for {
				s.sleep(d.Every)
				if err := d.Do(ctx); err != nil {
					s.say("%s: %v", d.Name, err)
					s.checkDuty(d.Name, err)
				}
			}
		})
	}
}

// listener hears what a sweeper says of single PRPs.
type listener struct {
	s *Sim
	p *process
}

func (l listener) Enabled(context.Context, slog.Level) bool { return true }
func (l listener) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l listener) WithGroup(string) slog.Handler            { return l }

func (l listener) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool { text += fmt.Sprintf(" %s=%v", a.Key, a.Value); return true })
	l.s.say("log: %s", text)
	if r.Level >= slog.LevelError {
		l.s.hear(l.p, text)
	}
	return nil
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
				p.sim.checkHalted(r)
			}
		}
	}
}

// shown is what a heartbeat shows.
func (p *process) shown() tasks.Process {
	shown := tasks.Process{Incarnation: p.incarnation, Schema: workflow.SchemaVersion, GoneAfter: goneAfter, Serves: p.serves}
	for _, a := range p.agents {
		a.Draining = p.draining
		if h := p.state[a.Name]; p.poor(a.Name) && h.unwell {
			a.Unwell = "its program is missing"
		} else if p.poor(a.Name) {
			a.LimitedUntil = h.until
		}
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
		left := p.disk.results[former.incarnation]
		delete(p.disk.results, former.incarnation)
		for _, del := range left {
			p.offer(ctx, del)
		}
	}
}

// offer delivers a result, later where the record cannot be read now.
func (p *process) offer(ctx context.Context, del tasks.Delivery) {
	for again := false; ; again = true {
		_, err := p.engine.Deliver(ctx, del)
		switch {
		case err == nil, isStale(err), p.ending:
			return
		case errors.Is(err, workflow.ErrUnreadable) && !again:
			p.start("offer", func() {
				p.sim.sleep(time.Second)
				p.offer(ctx, del)
			})
			return
		}
		p.sim.sleep(300 * time.Millisecond)
	}
}

// deliver repeats a delivery until it is answered.
func (p *process) deliver(ctx context.Context, del tasks.Delivery) (tasks.Verdict, error) {
	for {
		p.delivering = &del.Run
		v, err := p.engine.Deliver(ctx, del)
		p.delivering = nil
		p.sim.sound(err)
		if err == nil || isStale(err) || p.ending {
			return v, err
		}
		p.sim.sleep(300 * time.Millisecond)
	}
}

func (p *process) String() string { return fmt.Sprintf("%s (%s)", p.name, p.incarnation) }
