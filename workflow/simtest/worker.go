package simtest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// worker is one place of an agent: it takes tasks and runs them.
type worker struct {
	p      *process
	agent  tasks.Agent
	actor  *actor
	queues []string
	rests  bool // until somebody rings
}

// run is a run in hand.
type run struct {
	tasks.Run
	claimed, halted, ended bool
	saved                  bool // its result
	answer                 error
}

func isStale(err error) bool { return errors.Is(err, tasks.ErrStale) }

// work starts a worker.
func (p *process) work(a tasks.Agent) {
	w := &worker{p: p, agent: a, queues: append(tasks.AgentQueues(a.Name), tasks.RoleQueue(a.Role))}
	w.actor = p.start(a.Name, w.loop)
	p.workers = append(p.workers, w)
}

// ring wakes who waits for a queue.
func (s *Sim) ring(queue string) {
	for _, p := range s.procs {
		for _, w := range p.workers {
			if !p.dead && w.rests && slices.Contains(w.queues, queue) {
				w.actor.wake = s.clock.UnixNano()
			}
		}
	}
}

func (w *worker) loop() {
	s := w.p.sim
	for {
		if w.p.draining {
			s.sleep(idle)
			continue
		}
		if w.p.poor(w.agent.Name) {
			s.sleep(w.p.state[w.agent.Name].until.Sub(s.clock))
			continue
		}
		var t *task
		_, err := call(s, "dequeue", "", func() (bool, error) {
			got, ok := s.broker.take(w.p, w.queues)
			t = got
			return ok, nil
		})
		if t == nil {
			wait := w.patience()
			if err != nil {
				wait = max(wait, 500*time.Millisecond)
			}
			w.rests = true
			s.sleep(wait)
			w.rests = false
			continue
		}
		answer := w.handle(context.Background(), t.order)
		if do(s, "finish", t.id, func() error { s.broker.finish(w.p, t, answer); return nil }) != nil {
			s.broker.abandon(w.p, t)
		}
	}
}

// patience is how long nothing comes unless somebody rings: until the next
// delayed task is due.
func (w *worker) patience() time.Duration {
	s := w.p.sim
	wait := idle
	for _, t := range s.broker.all {
		if !slices.Contains(w.queues, t.queue) {
			continue
		}
		var at time.Time
		switch {
		case t.state == tasks.Pending && !s.broker.paused[t.queue]:
			at = s.clock
		case t.state == tasks.Active && t.owner == nil:
			at = t.lapses
		case t.state == tasks.Retrying:
			at = t.due
		default:
			continue
		}
		wait = min(wait, max(at.Sub(s.clock), time.Millisecond))
	}
	return wait
}

// handle is what the runtime does with an order: claim, run, save, deliver.
func (w *worker) handle(ctx context.Context, o tasks.Order) (answer error) {
	p, s := w.p, w.p.sim
	for _, r := range p.runs {
		if r.Job == o.Job && (!r.claimed || s.rng.IntN(3) > 0) { // the broker has handed it out again: there is one run, and one answer
			for !r.ended {
				s.sleep(200 * time.Millisecond)
			}
			return r.answer
		}
	}
	r := &run{Run: tasks.Run{
		ID: s.id("run"), PRP: o.PRP, Job: o.Job, Fence: o.Fence, Type: o.Type, Agent: w.agent.Name, Incarnation: p.incarnation, Started: s.clock,
	}}
	p.runs = append(p.runs, r)
	defer func() {
		r.ended, r.answer = true, answer
		p.runs = slices.DeleteFunc(p.runs, func(x *run) bool { return x == r })
	}()
	attempt, err := w.claim(ctx, r)
	if err != nil {
		return err
	}
	if s.kind.poison && !s.poisoned && !s.quiet && o.PRP == "PRP-1" && o.Type == "prp.develop" {
		s.say("%s kills %s", o.PRP, p.name)
		p.doomed = true
		panic(killed{})
	}
	if !s.quiet && !s.kind.still && s.rng.IntN(60) == 0 {
		s.say("run %s ends without a word", r.ID)
		return tasks.RetryAfter(time.Second, errors.New("it has ended"))
	}
	longest := 4000
	if s.kind.crowd > 100 {
		longest = 40
	}
	for range 1 + s.rng.IntN(2) {
		s.sleep(time.Duration(s.rng.IntN(longest)) * time.Millisecond)
		if r.halted {
			s.say("run %s is stopped", r.ID)
			return tasks.ErrStale
		}
		if p.ending {
			return p.handBack(ctx, r)
		}
	}
	retries := runRetries
	del := tasks.Delivery{Run: r.Run, Result: w.result(o, attempt), RetryDelay: time.Second, Retries: &retries}
	s.given[r.ID] = del
	_ = do(s, "save", "", func() error {
		p.disk.results[p.incarnation] = append(p.disk.results[p.incarnation], del)
		r.saved = true
		return nil
	})
	v, err := p.deliver(ctx, del)
	if err != nil && !isStale(err) { // it stays on the disk for the next life
		return tasks.RetryAfter(time.Second, err)
	}
	p.disk.results[p.incarnation] = slices.DeleteFunc(p.disk.results[p.incarnation], func(d tasks.Delivery) bool { return d.ID == del.ID })
	switch {
	case err != nil:
		return tasks.ErrStale
	case v.Failed:
		return tasks.Permanent(errors.New(v.Reason))
	case v.After > 0:
		return tasks.RetryAfter(v.After, errors.New(v.Reason))
	}
	return nil
}

func (w *worker) claim(ctx context.Context, r *run) (attempt int, err error) {
	p := w.p
	for {
		var inHand []string
		for _, other := range p.runs {
			if other != r {
				inHand = append(inHand, other.ID)
			}
		}
		p.claiming = &r.Run
		a, err := p.engine.Claim(ctx, tasks.Claim{Run: r.Run, InHand: inHand})
		p.claiming = nil
		if err == nil {
			r.claimed = true
			p.sim.checkAssignment(r.Run, a)
			return a.Attempt, nil
		}
		p.sim.sound(err)
		if rec, _ := p.sim.disk.Peek(r.PRP); errors.Is(err, workflow.ErrHeld) && rec.Holder() != nil {
			h := rec.Holder()
			if h.Incarnation == p.incarnation && !slices.Contains(inHand, h.Run) && rec.Current(r.Job, r.Fence) {
				p.sim.fail("%s: the run %s is refused for one of the same process that has ended", r.PRP, r.ID)
			}
		}
		var later *tasks.RetryAfterError
		if isStale(err) || errors.As(err, &later) {
			return 0, err
		}
		if p.ending { // it may have been heard or not
			_ = p.handBack(ctx, r)
			return 0, tasks.RetryAfter(time.Second, err)
		}
		p.sim.sleep(300 * time.Millisecond)
	}
}

// result is what an agent makes of a task. Once the faults are over all is well.
func (w *worker) result(o tasks.Order, attempt int) tasks.Result {
	good := tasks.Result{Outcome: tasks.Done, Evidence: map[string]any{"tests_passed": true, "lint_clean": true, "coverage_pct": 91, "approved": true, "merged": true}}
	s := w.p.sim
	if s.quiet {
		return good
	}
	failed := tasks.Result{Outcome: tasks.Failed, Reasons: []string{"no compiler"}}
	unproven := tasks.Result{Outcome: tasks.Done, Evidence: map[string]any{"tests_passed": true}}
	asks := tasks.Result{Outcome: tasks.Question, Question: "which one? " + s.id("q")}
	rejected := tasks.Result{Outcome: tasks.Rejected, Reasons: []string{"no test " + s.id("r")}}
	may := s.rng.IntN(10) < 7
	switch {
	case s.kind.agents == clumsy && may:
		return failed
	case s.kind.agents == careless && may && attempt < 12:
		return unproven
	case s.kind.agents == strict && may && o.Type != "prp.develop" && attempt < 12:
		return rejected
	case s.kind.agents == chatty && s.rng.IntN(2) == 0:
		return asks
	}
	switch n := s.rng.IntN(20); {
	case n == 0:
		return failed
	case n == 1:
		return asks
	case n == 2:
		return unproven
	case n == 3:
		return tasks.Result{Outcome: tasks.Retry, RetryAfter: tasks.Duration(2 * time.Second)}
	case n == 4:
		h := w.p.health(w.agent.Name)
		h.until, h.unwell, h.since = later(h.until, s.clock.Add(3*time.Second)), false, s.clock
		return tasks.Result{Outcome: tasks.Limited, RetryAfter: tasks.Duration(3 * time.Second)}
	case n < 8 && o.Type == "prp.validate" && attempt < 3:
		return rejected
	}
	return good
}
