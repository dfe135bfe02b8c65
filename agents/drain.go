package agents

import (
	"context"
	"time"
)

// goodBye is how long the registry may take to hear that the process ends; silence
// tells it too.
const goodBye = 2 * time.Second

// Drain ends the process' work: nothing new is taken; what finishes within
// Config.Drain counts; the rest is stopped and handed back, at no cost. All
// agents' processes are dead when it returns. The end of ctx cuts the waiting
// short, nothing else. A second call waits for the first.
//
// The order of an end: the broker's servers take nothing more (Stop), Drain,
// then they are shut down.
func (r *Runtime) Drain(ctx context.Context) error {
	var err error
	r.drain.Do(func() { err = r.drainOnce(ctx) })
	return err
}

func (r *Runtime) drainOnce(ctx context.Context) error {
	defer close(r.drained)
	r.mu.Lock()
	close(r.draining)
	r.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		r.wg.Wait()
		close(idle)
	}()
	t := time.NewTimer(r.cfg.Drain)
	defer t.Stop()
	select {
	case <-idle:
	case <-t.C:
	case <-ctx.Done():
	}
	close(r.stopped)
	r.mu.Lock()
	for _, run := range r.runs {
		run.halt(errDrain)
	}
	r.mu.Unlock()
	<-idle // each run is bounded: a second to die, then the last words
	r.state.close()
	if r.cfg.Registry == nil {
		return nil
	}
	r.word <- struct{}{}
	defer func() { <-r.word }()
	r.left = true
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodBye)
	defer cancel()
	return r.cfg.Registry.Leave(ctx, r.cfg.Process.Incarnation)
}
