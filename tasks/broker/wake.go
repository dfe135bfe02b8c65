package broker

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// An unknown script that asks in vain too often is slowed.
const (
	strangerRate = 100 // vain answers a second that it may get
	strangerWait = 20 * time.Millisecond
)

// waker takes the polling out of an Asynq server. It is a go-redis hook on the
// server's client: when the dequeue script finds a queue empty, the queue's
// waiter blocks in Redis until it is not, and once all queues are empty the
// answer is held back until one of the waiters returns. Asynq, told to poll
// without a pause, polls at the pace at which tasks arrive.
//
// Asynq dequeues from one goroutine, so that dequeue is never entered twice at
// once; everything else of the server passes through.
type waker struct {
	waiters map[string]*waiter // by the key of the pending list
	news    chan struct{}      // a waiter has returned
	stop    chan struct{}      // closed by close
	once    sync.Once
	conn    redis.UniversalClient // of the waiters, which closing it sets free
	running sync.WaitGroup
	log     *asynqLog

	slowed    *atomic.Uint64
	strangers rate
}

func newWaker(queues []string, conn redis.UniversalClient, slowed *atomic.Uint64, log *asynqLog) *waker {
	w := &waker{
		waiters: make(map[string]*waiter, len(queues)),
		news:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		conn:    conn,
		slowed:  slowed,
		log:     log,
	}
	for _, q := range queues {
		w.waiters[pendingKey(q)] = newWaiter(q, conn, w.news, w.stop)
	}
	return w
}

// start runs the waiters until close.
func (w *waker) start() {
	for _, q := range w.waiters {
		w.running.Go(q.run)
	}
}

// close makes every queue look empty from now on and ends the waiters. A
// blocked BLMOVE hears of nothing but the end of its connection.
func (w *waker) close() {
	w.once.Do(func() {
		close(w.stop)
		_ = w.conn.Close() // there is nothing to lose on it
	})
	w.running.Wait()
}

// DialHook passes through.
func (w *waker) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessPipelineHook passes through: Asynq dequeues one script at a time.
func (w *waker) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// ProcessHook recognises the dequeue script by its first key.
func (w *waker) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		key, isScript := scriptKey(cmd)
		if !isScript {
			return next(ctx, cmd)
		}
		if q := w.waiters[key]; q != nil {
			return w.dequeue(ctx, cmd, q, next)
		}
		err := next(ctx, cmd)
		if errors.Is(err, redis.Nil) && w.strangers.over(strangerRate) {
			w.slowed.Add(1)
			w.pause(strangerWait)
		}
		return err
	}
}

// scriptKey gives the first key of a script's call.
func scriptKey(cmd redis.Cmder) (string, bool) {
	if name := cmd.Name(); name != "evalsha" && name != "eval" {
		return "", false
	}
	args := cmd.Args() // name, script, number of keys, keys...
	if len(args) < 4 {
		return "", true
	}
	key, _ := args[3].(string)
	return key, true
}

// dequeue runs the dequeue script for one queue, or answers for it.
func (w *waker) dequeue(ctx context.Context, cmd redis.Cmder, q *waiter, next redis.ProcessHook) error {
	if w.closed() {
		w.pause(0)
		return nothing(cmd)
	}
	if !q.waiting() {
		ctx = stopped{ctx, w.stop}
		err := next(ctx, cmd)
		switch {
		case err == nil:
			q.gave()
			return nil
		case redis.HasErrorPrefix(err, "NOSCRIPT"): // the caller sends the source now
			return err
		case errors.Is(err, redis.Nil):
			q.empty(ctx)
		default:
			// An error would make Asynq skip the queues behind this one, which
			// in a cluster may well be served.
			q.failed(ctx)
			w.log.trouble("a queue cannot be read", "queue", q.queue, "error", err)
		}
	}
	w.idle()
	return nothing(cmd)
}

// stopped is a context that ends when the server stops, so that nothing waits
// for a Redis that is away. Asynq's own contexts for Redis never end.
type stopped struct {
	context.Context
	stop <-chan struct{}
}

func (c stopped) Done() <-chan struct{} { return c.stop }

func (c stopped) Err() error {
	select {
	case <-c.stop:
		return context.Canceled
	default:
		return c.Context.Err()
	}
}

// nothing is the dequeue script's answer for an empty queue.
func nothing(cmd redis.Cmder) error {
	cmd.SetErr(redis.Nil)
	return redis.Nil
}

// idle holds the caller back for as long as no queue can have a task.
func (w *waker) idle() {
	for {
		for _, q := range w.waiters {
			if !q.waiting() {
				return
			}
		}
		select {
		case <-w.news:
		case <-w.stop:
			return
		}
	}
}

func (w *waker) closed() bool {
	select {
	case <-w.stop:
		return true
	default:
		return false
	}
}

// pause waits a while, or until the waker is closed. After that it still waits
// a moment, so that a server about to stop does not spin.
func (w *waker) pause(d time.Duration) {
	if w.closed() {
		time.Sleep(time.Millisecond)
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-w.stop:
	}
}

// rate counts events within the second that began with the first of them.
type rate struct {
	mu    sync.Mutex
	since time.Time
	n     int
}

// over counts an event and says whether its second has had more than limit.
func (r *rate) over(limit int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if now.Sub(r.since) >= time.Second {
		r.since, r.n = now, 0
	}
	r.n++
	return r.n > limit
}
