package reliable

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrEmpty says that no message came in time.
var ErrEmpty = errors.New("the queue is empty")

// block is how long Redis is asked to wait at a time. go-redis does not interrupt
// a blocked command when its context is cancelled.
const block = time.Second

// Receive takes the message at the head and gives this worker its lease. It waits
// for one as long as wait says, then answers ErrEmpty; zero does not wait, below
// zero waits until ctx ends, which it notices within a second. What is no message
// becomes a dead letter and does not stop it.
func (q *Queue) Receive(ctx context.Context, wait time.Duration) (Message, error) {
	for end := time.Now().Add(wait); ; {
		m, err := q.receiveOnce(ctx, wait, end)
		switch {
		case err == nil:
			return m, nil
		case errors.Is(err, ErrMalformed):
			continue
		case !errors.Is(err, redis.Nil):
			return Message{}, q.fail("receive from", err)
		case wait >= 0 && !time.Now().Before(end):
			return Message{}, q.fail("receive from", ErrEmpty)
		}
	}
}

// receiveOnce answers redis.Nil where nothing came, and ErrMalformed where what
// came has become a dead letter.
func (q *Queue) receiveOnce(ctx context.Context, wait time.Duration, end time.Time) (Message, error) {
	if err := ctx.Err(); err != nil {
		return Message{}, err
	}
	// First the lease: a list that no entry of takers leads to would be lost with
	// its worker.
	if err := q.lease(ctx); err != nil {
		return Message{}, err
	}
	if m, err := q.stray(ctx); !errors.Is(err, redis.Nil) {
		return m, err
	}
	q.takes.RLock()
	defer q.takes.RUnlock()
	raw, err := q.take(ctx, wait, end)
	if err != nil {
		if !errors.Is(err, redis.Nil) {
			q.mu.Lock()
			q.doubt = time.Now().Add(2 * block)
			q.mu.Unlock()
		}
		return Message{}, err
	}
	return q.open(ctx, raw)
}

// take moves the head of the queue into this worker's list.
func (q *Queue) take(ctx context.Context, wait time.Duration, end time.Time) (string, error) {
	args := []any{"LMOVE", q.keys.Pending, q.taken, "RIGHT", "LEFT"}
	if wait != 0 {
		left := block
		if wait > 0 {
			left = min(left, time.Until(end))
		}
		if deadline, ok := ctx.Deadline(); ok {
			left = min(left, time.Until(deadline))
		}
		// Not BLMove, which rounds up to a second; and never 0, which is for ever.
		left = max(left, time.Millisecond)
		args = append([]any{"BLMOVE"}, args[1:]...)
		args = append(args, strconv.FormatFloat(left.Seconds(), 'f', 3, 64))
	}
	cmd := once{redis.NewCmd(ctx, args...)}
	_ = q.rdb.Process(ctx, cmd) // its error is the command's
	return cmd.Text()
}

// once is a command that go-redis does not send again after a lost answer: the
// second one would take a second message, and hide the first.
type once struct{ *redis.Cmd }

func (once) NoRetry() bool { return true }

// open reads an element of this worker's list.
func (q *Queue) open(ctx context.Context, raw string) (Message, error) {
	m, err := Decode([]byte(raw))
	if err != nil {
		if failed := q.quarantine(ctx, raw, err); failed != nil {
			return Message{}, failed
		}
		return Message{}, err
	}
	q.mu.Lock()
	q.hand[m.ID] = true
	q.mu.Unlock()
	return m, nil
}

// stray finds a message that a take moved whose answer was lost, or redis.Nil.
func (q *Queue) stray(ctx context.Context) (Message, error) {
	q.mu.Lock()
	doubt := time.Now().Before(q.doubt)
	q.mu.Unlock()
	if !doubt {
		return Message{}, redis.Nil
	}
	q.takes.Lock()
	defer q.takes.Unlock()
	mine, err := q.mine(ctx)
	if err != nil {
		return Message{}, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, m := range mine {
		if !q.hand[m.ID] {
			q.hand[m.ID] = true
			return m, nil
		}
	}
	return Message{}, redis.Nil
}

// release forgets messages that this worker no longer has.
func (q *Queue) release(ids ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, id := range ids {
		delete(q.hand, id)
	}
}
