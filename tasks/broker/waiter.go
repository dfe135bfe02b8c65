package broker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// How long a waiter waits for what.
const (
	blockTime   = 30 * time.Second // one BLMOVE; after it the script looks once, to be sure
	pausedCheck = time.Second      // between looks at a paused queue that has tasks
	brokenMin   = 50 * time.Millisecond
	brokenMax   = time.Second // between tries where Redis does not answer, or has no BLMOVE
)

// waiter knows whether one queue may have a task. It blocks in BLMOVE from the
// right end of the pending list to the right end of the same list: that changes
// nothing, and returns as soon as the list is not empty, whoever filled it. A
// connection that died without a word is noticed within 40 s.
type waiter struct {
	queue string
	conn  redis.UniversalClient
	begin chan wait
	news  chan<- struct{} // told when a wait is over
	stop  <-chan struct{}

	blocked atomic.Bool // from await until the queue may have a task
	found   atomic.Bool // the last wait ended with a task, which nobody has got yet
	fails   atomic.Int32
}

// wait says why the queue is waited for.
type wait struct {
	ctx     context.Context
	suspect bool // it had a task and gave none
	failed  bool // it could not be asked
}

func newWaiter(queue string, conn redis.UniversalClient, news chan<- struct{}, stop <-chan struct{}) *waiter {
	return &waiter{queue: queue, conn: conn, begin: make(chan wait, 1), news: news, stop: stop}
}

// waiting says that the queue gave nothing and is not known to have more.
func (q *waiter) waiting() bool { return q.blocked.Load() }

// gave: the dequeue script has handed out a task of the queue.
func (q *waiter) gave() {
	q.found.Store(false)
	q.fails.Store(0)
}

// empty: the dequeue script has found nothing. A wait begins.
func (q *waiter) empty(ctx context.Context) {
	q.await(wait{ctx: ctx, suspect: q.found.Swap(false)})
}

// failed: the dequeue script could not run. A wait begins.
func (q *waiter) failed(ctx context.Context) { q.await(wait{ctx: ctx, failed: true}) }

func (q *waiter) await(w wait) {
	q.blocked.Store(true)
	q.begin <- w // has room: the wait before has ended
}

// run serves waits until the server stops.
func (q *waiter) run() {
	for {
		select {
		case <-q.stop:
			return
		case w := <-q.begin:
			q.found.Store(q.untilFilled(w))
			q.blocked.Store(false)
			select {
			case q.news <- struct{}{}:
			default:
			}
		}
	}
}

// untilFilled returns true once the queue has a task, false when it is time to
// ask the script. A queue that has a task and gives none is paused, or another
// server was faster: which of both is asked first.
func (q *waiter) untilFilled(w wait) bool {
	if w.failed {
		q.backOff()
		return false
	}
	for w.suspect && q.paused(w.ctx) {
		if !q.sleep(pausedCheck) {
			return false
		}
	}
	key := pendingKey(q.queue)
	err := q.conn.BLMove(w.ctx, key, key, "RIGHT", "RIGHT", blockTime).Err()
	if err != nil && !errors.Is(err, redis.Nil) {
		q.backOff()
		return false
	}
	q.fails.Store(0)
	return err == nil
}

func (q *waiter) paused(ctx context.Context) bool {
	n, err := q.conn.Exists(ctx, pausedKey(q.queue)).Result()
	return err == nil && n > 0
}

// backOff waits the longer the more often it came to nothing.
func (q *waiter) backOff() {
	n := min(q.fails.Add(1)-1, 10)
	q.sleep(min(brokenMin<<n, brokenMax))
}

// sleep waits for d, and says false when the server stopped meanwhile.
func (q *waiter) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-q.stop:
		return false
	}
}
