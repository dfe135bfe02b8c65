package agents

import (
	"context"
	"time"
)

// logWatch brings what a run says to the store while it runs, and at its end.
type logWatch struct {
	r    *Runtime
	ctx  context.Context // the run's life, without its end
	run  *running
	log  *Log
	sent int64 // Written when it was sent last; -1 after a failure
	stop chan struct{}
	done chan struct{}
}

func (r *Runtime) watchLog(ctx context.Context, run *running, log *Log) *logWatch {
	w := &logWatch{
		r: r, ctx: context.WithoutCancel(ctx), run: run, log: log,
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go w.follow()
	return w
}

func (w *logWatch) follow() {
	defer close(w.done)
	t := time.NewTicker(w.r.cfg.LogEvery)
	defer t.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-t.C:
			w.send()
		}
	}
}

// send puts the log, where something was said since. A log that cannot be put
// holds nothing up: it is only told.
func (w *logWatch) send() {
	written := w.log.Written()
	if written == w.sent {
		return
	}
	ctx, cancel := context.WithTimeout(w.ctx, lastWords/2)
	defer cancel()
	w.sent = written
	if err := w.r.cfg.Engine.PutLog(ctx, w.run.Run, w.log.String()); err != nil {
		w.sent = -1
		w.r.log.Debug("log of the run not kept", "prp", w.run.PRP, "run", w.run.ID, "err", err)
	}
}

// finish sends the end of the log, once.
func (w *logWatch) finish() {
	close(w.stop)
	<-w.done
	w.send()
}

// again sends it once more where that failed: the store has just answered.
func (w *logWatch) again() {
	if w.sent < 0 {
		w.send()
	}
}
