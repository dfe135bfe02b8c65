package reliable

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// Handler works at a message. Nil acknowledges it; an error returns it for another
// delivery after its backoff, unless the error is made by Fatal or RetryAfter. The
// context ends when the worker's lease has lapsed, or at the end of ConsumeConfig.Drain.
type Handler func(ctx context.Context, m Message) error

// Fatal makes an error that no further delivery would help: the message becomes a
// dead letter.
func Fatal(err error) error { return &fatalError{err} }

type fatalError struct{ error }

func (e *fatalError) Unwrap() error { return e.error }

// RetryAfter makes an error after which the message is delivered again at that time
// in place of its backoff.
func RetryAfter(d time.Duration, err error) error { return &laterError{err, d} }

type laterError struct {
	error
	after time.Duration
}

func (e *laterError) Unwrap() error { return e.error }

// ConsumeConfig says how Consume works.
type ConsumeConfig struct {
	// Concurrency is how many handlers run at a time. Zero: 1.
	Concurrency int
	// Prefetch is how many more messages this worker takes than it has handlers
	// for: faster, but no other worker is given them. Zero: none.
	Prefetch int
	// Limit is after how many deliveries Consume ends. Zero: never.
	Limit int
	// Idle is after how long without a message and without a running handler
	// Consume ends. Zero: never.
	Idle time.Duration
	// Drain is how long running handlers may go on after ctx has ended, before their
	// contexts end. Zero: not at all.
	Drain time.Duration
	// Log is told of what failed and is tried again. Nil: nobody.
	Log *slog.Logger
}

// Consume gives messages to a handler, in their order where Concurrency is 1, until
// ctx ends. It renews the worker's lease, takes home what dead workers had, and goes on
// through failures of Redis. A handler that panics has failed. At the end it lets
// handlers finish, and gives back what none has begun. It answers nil, also at the end
// of ctx; an error only where Config.Idle is over and receiving fails, and ErrUnsettled.
func (q *Queue) Consume(ctx context.Context, h Handler, cfg ConsumeConfig) error {
	cfg.Concurrency = max(cfg.Concurrency, 1)
	if cfg.Limit > 0 {
		cfg.Concurrency, cfg.Prefetch = min(cfg.Concurrency, cfg.Limit), min(cfg.Prefetch, max(0, cfg.Limit-cfg.Concurrency))
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	c := &consumer{q: q, h: h, cfg: cfg, work: make(chan taken, cfg.Concurrency+cfg.Prefetch), room: make(chan struct{}, 1)}
	return c.run(ctx)
}

// taken is a message and its place among those that this call took.
type taken struct {
	Message
	place int
}

// consumer is one call of Consume.
type consumer struct {
	q    *Queue
	h    Handler
	cfg  ConsumeConfig
	work chan taken
	room chan struct{} // a handler has finished

	mu       sync.Mutex
	inHand   int // messages that were taken and not settled
	lastWork time.Time
	ends     context.CancelCauseFunc // ends the handlers' contexts
	handlers context.Context         //nolint:containedctx // of the running handlers, replaced after a lapse
	settle   settlements
}

func (c *consumer) run(ctx context.Context) error {
	last := context.WithoutCancel(ctx) // acknowledgements are said after the end of ctx
	c.renew(last)
	c.lastWork = time.Now()
	taking, stop := context.WithCancel(ctx)
	defer stop()
	var workers, back sync.WaitGroup
	for range c.cfg.Concurrency {
		workers.Go(func() {
			for m := range c.work {
				c.handle(taking, m)
			}
		})
	}
	keeping, done := context.WithCancel(last)
	back.Go(func() { c.keep(keeping) })
	back.Go(func() { c.settle.run(keeping, c) })
	failed := c.take(taking)
	stop()
	close(c.work)
	c.drain(&workers)
	done()
	back.Wait()
	if err := c.settle.flush(last, c); err != nil {
		failed = errors.Join(failed, err)
	}
	end, cancel := context.WithTimeout(last, time.Second)
	defer cancel()
	if err := c.q.Close(end); err != nil {
		c.cfg.Log.Debug("the worker's lease ends by itself", "err", err)
	}
	return failed
}

// take keeps the handlers supplied. It answers why nothing could be received until the
// end that the configuration names.
func (c *consumer) take(ctx context.Context) error {
	var wait time.Duration
	for had := 0; ctx.Err() == nil; {
		free := cap(c.work) - c.count(0)
		if c.cfg.Limit > 0 {
			free = min(free, c.cfg.Limit-had)
		}
		if c.cfg.Limit > 0 && had >= c.cfg.Limit {
			return nil
		}
		if free <= 0 {
			c.pause(ctx, time.Second)
			continue
		}
		got, err := c.q.ReceiveMany(ctx, free, max(0, min(block, c.idleLeft())))
		switch {
		case err == nil:
			wait = 0
		case errors.Is(err, ErrEmpty) && c.cfg.Idle > 0 && free == cap(c.work) && c.idleLeft() <= 0:
			return nil
		case err != nil && !errors.Is(err, ErrEmpty) && c.cfg.Idle > 0 && c.count(0) == 0 && c.idleLeft() <= 0:
			return err
		case errors.Is(err, ErrEmpty):
			continue
		default:
			if ctx.Err() == nil {
				wait = min(max(2*wait, 50*time.Millisecond), time.Second)
				c.cfg.Log.Warn("no messages received, trying again", "in", wait, "err", err)
				select {
				case <-ctx.Done():
				case <-time.After(wait):
				}
			}
			continue
		}
		c.count(len(got))
		for i, m := range got {
			c.work <- taken{m, had + i} // has room for all that are in hand
		}
		had += len(got)
	}
	return nil
}

// count adds to the messages in hand and answers how many there are.
func (c *consumer) count(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inHand += n
	if n != 0 {
		c.lastWork = time.Now()
	}
	return c.inHand
}

// idleLeft is how long Consume still waits for a message.
func (c *consumer) idleLeft() time.Duration {
	if c.cfg.Idle == 0 {
		return block
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cfg.Idle - time.Since(c.lastWork)
}

// pause waits for room.
func (c *consumer) pause(ctx context.Context, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-c.room:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// handle works at a message. What comes after the end of taking is given back.
func (c *consumer) handle(taking context.Context, m taken) {
	s := settlement{message: m.Message, place: m.place, released: taking.Err() != nil && c.cfg.Limit == 0}
	if !s.released {
		c.mu.Lock()
		ctx := c.handlers
		c.mu.Unlock()
		s.err = guard(ctx, c.h, m.Message)
		s.released = s.err != nil && errors.Is(context.Cause(ctx), errDrained) // its end is not the message's fault
	}
	c.settle.add(s)
}

// guard makes a panic a failed delivery.
func guard(ctx context.Context, h Handler, m Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return h(ctx, m)
}

// drain waits for the handlers, and ends their contexts where they take too long.
func (c *consumer) drain(workers *sync.WaitGroup) {
	finished := make(chan struct{})
	go func() { workers.Wait(); close(finished) }()
	if c.cfg.Limit > 0 || c.cfg.Idle > 0 { // the end that was asked for is no hurry
		<-finished
		return
	}
	timer := time.NewTimer(c.cfg.Drain)
	defer timer.Stop()
	select {
	case <-finished:
	case <-timer.C:
		c.mu.Lock()
		c.ends(errDrained)
		c.mu.Unlock()
		<-finished
	}
}

// renew gives handlers that begin from now on a context of their own.
func (c *consumer) renew(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handlers, c.ends = context.WithCancelCause(ctx)
}

// keep renews the lease and looks after the queue. Where the lease has lapsed the
// handlers that run are told: another worker may have their messages.
func (c *consumer) keep(ctx context.Context) {
	tick := time.NewTicker(c.q.cfg.Lease / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if c.count(0) > 0 {
			lapsed := c.q.lapsed()
			if err := c.q.Extend(ctx); err != nil && ctx.Err() == nil {
				c.cfg.Log.Warn("the lease is not renewed, trying again", "err", err)
			}
			if lapsed || c.q.lapsed() {
				c.mu.Lock()
				c.ends(errLapsed)
				c.mu.Unlock()
				c.renew(context.WithoutCancel(ctx))
			}
		}
		if err := c.q.Tend(ctx); err != nil && ctx.Err() == nil {
			c.cfg.Log.Debug("the queue is looked after later", "err", err)
		}
	}
}

// lapsed says whether this worker's lease may have ended.
func (q *Queue) lapsed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !q.lapses.IsZero() && time.Now().After(q.lapses)
}
