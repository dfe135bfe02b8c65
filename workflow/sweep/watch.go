package sweep

import (
	"context"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// leadFor is how long the lead lasts that each observation renews.
const leadFor = 2 * time.Second

// view is what the last observation has shown.
type view struct {
	leads     bool
	at        time.Time // when it was taken, by this process' clock
	now       time.Time // by the registry's clock
	processes []tasks.Process
	gone      []tasks.Process
	beat      map[string]time.Time // incarnation -> last heartbeat, of those not gone
	runs      map[string]bool      // runs in hand
	jobs      map[string]bool      // jobs in hand
	agents    map[string]bool      // agents of the processes that are not gone
}

func newView(processes, gone []tasks.Process, now time.Time) view {
	v := view{
		now: now, processes: processes, gone: gone,
		beat: map[string]time.Time{}, runs: map[string]bool{}, jobs: map[string]bool{}, agents: map[string]bool{},
	}
	dead := map[string]bool{}
	for _, p := range gone {
		dead[p.Incarnation] = true
	}
	for _, p := range processes {
		if dead[p.Incarnation] {
			continue
		}
		v.beat[p.Incarnation] = p.Seen
		for _, r := range p.Runs {
			v.runs[r.ID], v.jobs[r.Job] = true, true
		}
		for _, a := range p.Agents {
			v.agents[a.Name] = true
		}
	}
	return v
}

// skew is how far the clocks of two nodes of a store may be apart: what is younger
// than an observation by no more is not known to it.
const skew = 500 * time.Millisecond

// newsAfter is how much younger than a claim a heartbeat must be to count as news
// of it.
const newsAfter = 3 * time.Second

// holderFault says what is wrong with who holds a job, "" for nothing.
func (v view) holderFault(h workflow.Holder) string {
	beat, known := v.beat[h.Incarnation]
	switch {
	case v.now.Sub(h.Since) < skew: // as where this process stood still meanwhile
		return ""
	case !known:
		return "its process is unknown"
	case beat.Sub(h.Since) > newsAfter && !v.runs[h.Run]:
		return "its process does not run it"
	}
	return ""
}

// watch observes the processes and asks for the lead. An observation counts only
// while heartbeats can be written: where they are refused, silence says nothing.
func (s *Sweeper) watch(ctx context.Context) error {
	v, blind, err := s.observe(ctx)
	s.mu.Lock()
	led := s.view.leads
	if err != nil {
		s.view.leads = false
	} else {
		s.view = v
	}
	s.mu.Unlock()
	if err == nil && v.leads && (blind || !led) {
		s.scan.hurry() // what was lost meanwhile is found at once
		s.audit.doubt()
	}
	return err
}

func (s *Sweeper) observe(ctx context.Context) (v view, blind bool, err error) {
	at := s.cfg.Clock()
	if err := s.cfg.Registry.Probe(ctx, s.cfg.Self); err != nil {
		return v, false, named("heartbeats cannot be written", err)
	}
	processes, now, err := s.cfg.Registry.Processes(ctx)
	if err != nil {
		return v, false, err
	}
	leads, err := s.cfg.Store.Lead(ctx, s.cfg.Self, leadFor)
	if err != nil {
		return v, false, err
	}
	gone, blind := s.detector.Observe(processes, now)
	v = newView(processes, gone, now)
	v.leads, v.at = leads, at
	if leads && len(gone) > 0 {
		s.cfg.Engine.ForgetAgents() // it may still know them
	}
	return v, blind, nil
}

// reap brings home what lies in the outboxes of processes that died.
func (s *Sweeper) reap(ctx context.Context, v view) error {
	_, err := s.cfg.Store.Reap(ctx, nil)
	return err
}
