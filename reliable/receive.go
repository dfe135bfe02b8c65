package reliable

import (
	"context"
	"errors"
	"fmt"
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
	q.taking.RLock()
	defer q.taking.RUnlock()
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
	m, err := q.take(ctx)
	if !errors.Is(err, redis.Nil) || wait == 0 {
		return m, err
	}
	if err := q.await(ctx, wait, end); err != nil {
		return Message{}, err
	}
	return q.take(ctx)
}

// take answers the oldest message of this worker's list that it has not received,
// else the one at the head, or redis.Nil. An answer that is lost is not believed
// to be received, so the next call gives the same message again.
func (q *Queue) take(ctx context.Context) (Message, error) {
	q.asking.Lock()
	defer q.asking.Unlock()
	received, elements := q.received()
	keys := []string{q.keys.Pending, q.keys.Takers, q.keys.Messages, q.taken, q.hand}
	args := append([]any{q.cfg.Worker, q.cfg.Lease.Milliseconds(), nonce()}, elements...)
	answer, err := q.scripts.take.Run(ctx, q.rdb, keys, args...).Slice()
	if err != nil {
		return Message{}, err
	}
	q.confirm(received)
	if len(answer) != 1 && len(answer) != 3 {
		return Message{}, fmt.Errorf("unexpected answer %v", answer)
	}
	held, _ := answer[0].(int64)
	q.setHeld(held)
	if len(answer) == 1 {
		return Message{}, redis.Nil
	}
	element, _ := answer[1].(string)
	raw, there := answer[2].(string)
	return q.open(ctx, element, raw, there)
}

// await moves the head of the queue into this worker's list, when one comes.
func (q *Queue) await(ctx context.Context, wait time.Duration, end time.Time) error {
	left := block
	if wait > 0 {
		left = min(left, time.Until(end))
	}
	if deadline, ok := ctx.Deadline(); ok {
		left = min(left, time.Until(deadline))
	}
	// Not BLMove, which rounds up to a second; and never 0, which is for ever.
	left = max(left, time.Millisecond)
	cmd := once{redis.NewCmd(ctx, "BLMOVE", q.keys.Pending, q.taken, "RIGHT", "LEFT", strconv.FormatFloat(left.Seconds(), 'f', 3, 64))}
	return q.rdb.Process(ctx, cmd)
}

// once is a command that go-redis does not send again after a lost answer: the
// second one would take a second message, which others could have had.
type once struct{ *redis.Cmd }

func (once) NoRetry() bool { return true }

// open reads an element of this worker's list and notes that it was received.
func (q *Queue) open(ctx context.Context, element, raw string, there bool) (Message, error) {
	key, ok := keyOf(element)
	if !ok {
		return Message{}, fmt.Errorf("unexpected element %q", element)
	}
	m, err := Decode([]byte(raw))
	if !there {
		err = fmt.Errorf("%w: the envelope of %q is lost", ErrMalformed, key)
	}
	if err != nil {
		if failed := q.quarantine(ctx, key, element, raw, err); failed != nil {
			return Message{}, failed
		}
		return Message{}, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fresh[key] = element
	q.noteCopy(m.ID, key)
	return m, nil
}
