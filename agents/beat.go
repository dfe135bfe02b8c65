package agents

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// patience is how much longer than gone_after a second process waits for a
// name: the holder may just have died.
const patience = 4 * time.Second

// Register claims the agents' names. Where another live process holds one, it
// waits until that process would be known as gone, then gives up with
// ErrNameTaken. Other errors come back at once.
func (r *Runtime) Register(ctx context.Context) error {
	if r.cfg.Registry == nil {
		return nil
	}
	p := r.process()
	ctx, cancel := context.WithTimeout(ctx, p.GoneAfter+patience)
	defer cancel()
	said := false
	for {
		err := r.cfg.Registry.Register(ctx, p)
		if !errors.Is(err, ErrNameTaken) {
			return err
		}
		if !said {
			r.log.Warn("waiting for the name", "err", err)
			said = true
		}
		t := time.NewTimer(min(r.cfg.Beat, 500*time.Millisecond))
		select {
		case <-ctx.Done():
			t.Stop()
			return err
		case <-t.C:
		}
	}
}

// Run sends heartbeats and stops the runs that are no longer current, until
// ctx ends or the process is drained. Drain needs it: let ctx outlive Drain.
// It returns ErrNameTaken when another process has taken a name over.
func (r *Runtime) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-r.drained:
			cancel()
		case <-ctx.Done():
		}
	}()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { r.followNudges(ctx) })
	wg.Go(func() { r.followLeftovers(ctx) })
	wg.Go(func() { r.followHealth(ctx) })
	for wait := (backoff{}); ; {
		err := r.beat(ctx)
		switch {
		case errors.Is(err, ErrNameTaken):
			cancel()
			return err
		case err != nil && ctx.Err() == nil:
			// Blind: nobody is judged. The beat comes at once when the store is back.
			r.log.Warn("heartbeat failed", "err", err)
			if !wait.wait(ctx) {
				return nil
			}
			continue
		}
		wait = backoff{}
		t := time.NewTimer(r.cfg.Beat)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

// beat shows the process and its runs, then asks which of them must stop.
func (r *Runtime) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, max(r.cfg.Beat, time.Second)+maxWait)
	defer cancel()
	if err := r.show(ctx); err != nil {
		return err
	}
	return r.recheck(ctx, r.inHand(true))
}

// show is the heartbeat. None follows the good-bye, which it would undo.
func (r *Runtime) show(ctx context.Context) error {
	r.word <- struct{}{}
	defer func() { <-r.word }()
	if r.cfg.Registry == nil || r.left {
		return nil
	}
	ctx, cancel := r.untilStopped(ctx)
	defer cancel()
	return r.cfg.Registry.Beat(ctx, r.process())
}

// recheck stops those of the runs that are no longer current.
func (r *Runtime) recheck(ctx context.Context, runs []tasks.Run) error {
	if len(runs) == 0 {
		return nil
	}
	stale, err := r.cfg.Engine.Current(ctx, runs)
	if err != nil {
		return err
	}
	for _, s := range stale {
		if run := r.running(s.Job); run != nil && run.ID == s.ID {
			run.halt(errStale)
		}
	}
	return nil
}

// process is what a heartbeat shows.
func (r *Runtime) process() tasks.Process {
	p := r.cfg.Process
	p.Runs = r.inHand(false)
	draining := isClosed(r.draining)
	for _, s := range r.Specs() {
		a := r.agents[s.Name]
		shown := tasks.Agent{
			Name: s.Name, Role: s.Role, Concurrency: s.concurrency(), Running: len(a.slots),
			Draining: draining, Repo: a.repo,
		}
		if wait := a.limited(); wait > 0 {
			shown.LimitedUntil = time.Now().Add(wait).UTC()
		}
		ill := a.health.now()
		shown.Failing, shown.Finished = ill.streak, ill.done
		if ill.trial {
			shown.Concurrency = 1
		}
		if ill.reason != "" {
			shown.Unwell, shown.UnwellSince, shown.Probe = ill.reason, ill.since.UTC(), ill.next.UTC()
		}
		p.Agents = append(p.Agents, shown)
		p.GoneAfter = max(p.GoneAfter, s.goneAfter())
	}
	if p.GoneAfter == 0 {
		p.GoneAfter = DefaultGoneAfter
	}
	return p
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// nudges are the PRPs of which something is new.
type nudges struct {
	mu   *sync.Mutex
	prps map[string]bool
	wake chan struct{}
}

func newNudges() nudges {
	return nudges{&sync.Mutex{}, map[string]bool{}, make(chan struct{}, 1)}
}

// Nudge has the runs of a PRP checked at once: something happened to it. It
// never blocks.
func (r *Runtime) Nudge(prp string) {
	r.nudges.mu.Lock()
	r.nudges.prps[prp] = true
	r.nudges.mu.Unlock()
	select {
	case r.nudges.wake <- struct{}{}:
	default:
	}
}

func (r *Runtime) followNudges(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.nudges.wake:
		}
		r.nudges.mu.Lock()
		news := r.nudges.prps
		r.nudges.prps = map[string]bool{}
		r.nudges.mu.Unlock()
		var runs []tasks.Run
		for _, run := range r.inHand(true) {
			if news[run.PRP] {
				runs = append(runs, run)
			}
		}
		if err := r.recheck(ctx, runs); err != nil && ctx.Err() == nil {
			r.log.Warn("runs not checked, the next heartbeat will", "err", err)
		}
	}
}
