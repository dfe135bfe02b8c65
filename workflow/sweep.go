package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// What bounds a pass of the sweep.
const (
	sweepLease   = 2 * time.Second
	sweepAtMost  = 100             // republished or looked at in one pass
	blindAfter   = 3 * time.Second // a longer gap between two passes is blindness
	reconnectMax = 5 * time.Second // longest wait of an agent before it reconnects
	idleBefore   = time.Second     // an agent that idles longer gets a busy peer's job
)

// watch is what a process that sweeps has seen of the others. A process is
// judged by what was seen of it here, never by a time stamp alone: whoever was
// blind meanwhile must not take silence for death.
type watch struct {
	last  time.Time // registry's time of the last pass
	seen  map[string]sighting
	idle  map[string]time.Time // agent -> idle since
	left  map[string]time.Time // agent whose process is gone -> when that was found
	leads bool
}

type sighting struct {
	beats int64
	seen  time.Time // of the last beat: one who was forgotten and comes back counts from one again
	at    time.Time // registry's time when it beat last, as far as was seen here
}

func newWatch() *watch {
	return &watch{seen: map[string]sighting{}, idle: map[string]time.Time{}, left: map[string]time.Time{}}
}

// Sweep makes one pass: it gives out again what the gone have held, looks at
// what is due, and moves waiting jobs to the idle. It is called about once a
// second by every process that may sweep; one of them does the work. It is not
// safe for concurrent use.
func (e *Engine) Sweep(ctx context.Context) error {
	processes, now, err := e.Registry.Processes(ctx)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	gone := e.sweep.observe(processes, now)
	if e.sweep.leads, err = e.Store.Lead(ctx, e.Sweeper, sweepLease); err != nil || !e.sweep.leads {
		return err
	}
	var dead []string
	for _, p := range gone {
		dead = append(dead, p.Incarnation)
	}
	if _, err := e.Store.Reap(ctx, dead); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	left := sweepAtMost
	if len(gone) > 0 {
		e.router.forget() // it may still know them
	}
	if err := e.followUp(ctx, processes, now, &left); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	for _, p := range gone {
		if err := e.bury(ctx, p, processes, now, &left); err != nil {
			return fmt.Errorf("sweep: %s: %w", p.Incarnation, err)
		}
	}
	if err := e.lookAtDue(ctx, newWorld(processes, gone)); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	places := livePlaces(processes, now)
	if err := e.spread(ctx, places, &left); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return e.share(ctx, places, now)
}

// Leads says whether the last pass was this process' to do.
func (e *Engine) Leads() bool { return e.sweep.leads }

// observe notes who gave a sign of life and answers who is gone.
func (w *watch) observe(processes []tasks.Process, now time.Time) (gone []tasks.Process) {
	grace := time.Duration(0)
	if w.last.IsZero() || now.Sub(w.last) > blindAfter || now.Before(w.last) {
		w.seen = map[string]sighting{} // nothing seen before the gap counts
		if !w.last.IsZero() {
			grace = reconnectMax
		}
	}
	w.last = now
	next := make(map[string]sighting, len(processes))
	for _, p := range processes {
		s, known := w.seen[p.Incarnation]
		if !known {
			s = sighting{p.Beats, p.Seen, now.Add(grace)}
		} else if s.beats != p.Beats || !s.seen.Equal(p.Seen) {
			s = sighting{p.Beats, p.Seen, now}
		}
		next[p.Incarnation] = s
		if p.Dead || p.Left || now.Sub(s.at) >= orDefault(p.GoneAfter, DefaultGoneAfter) {
			gone = append(gone, p)
		}
	}
	w.seen = next
	return gone
}
