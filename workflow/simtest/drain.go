package simtest

import (
	"context"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// lastWords bounds what a process still says once it must end.
const lastWords = 5 * time.Second

// drain ends a process as a person does who asks it to stop: it takes nothing
// more, waits a while, hands back what still runs, and says good-bye.
func (p *process) drain() {
	if p.draining {
		return
	}
	s := p.sim
	p.draining = true
	s.disturb(s.clock)
	p.start("drain", func() {
		s.sleep(time.Duration(s.rng.IntN(5000)) * time.Millisecond)
		p.ending = true
		for len(p.runs) > 0 {
			s.sleep(200 * time.Millisecond)
		}
		_ = s.peers.leave(p)
		p.doomed = true
		panic(killed{})
	})
}

// handBack returns an interrupted run; its job is published again.
func (p *process) handBack(ctx context.Context, r *run) error {
	s := p.sim
	for end := s.clock.Add(lastWords); ; {
		err := p.engine.HandBack(ctx, r.Run, "was drained")
		if err == nil || isStale(err) {
			return tasks.ErrStale
		}
		if !s.clock.Before(end) {
			return tasks.RetryAfter(time.Second, err)
		}
		s.sleep(300 * time.Millisecond)
	}
}
