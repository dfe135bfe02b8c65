package reliable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrEmpty says that no message came in time.
var ErrEmpty = errors.New("the queue is empty")

const (
	// block is how long Redis is asked to wait at a time. go-redis does not interrupt
	// a blocked command when its context is cancelled.
	block = time.Second
	// takeAtOnce bounds how long one script keeps Redis busy.
	takeAtOnce = 500
)

// Receive takes the message at the head and gives this worker its lease. It waits
// for one as long as wait says, then answers ErrEmpty; zero does not wait, below
// zero waits until ctx ends, which it notices within a second. What is no message
// becomes a dead letter and does not stop it. A paused queue is like an empty one.
func (q *Queue) Receive(ctx context.Context, wait time.Duration) (Message, error) {
	got, err := q.ReceiveMany(ctx, 1, wait)
	if err != nil {
		return Message{}, err
	}
	return got[0], nil
}

// ReceiveMany takes up to most messages, at most 500, in one round trip. It waits
// only where there is none.
func (q *Queue) ReceiveMany(ctx context.Context, most int, wait time.Duration) ([]Message, error) {
	most = max(1, min(most, takeAtOnce))
	q.taking.RLock()
	defer q.taking.RUnlock()
	for end := time.Now().Add(wait); ; {
		got, next, err := q.take(ctx, most)
		switch {
		case err == nil && len(got) > 0:
			return got, nil
		case err == nil && next == again:
			continue
		case err == nil && wait >= 0 && !time.Now().Before(end):
			err = ErrEmpty
		case err == nil:
			err = q.await(ctx, wait, end, next)
		}
		if err != nil {
			return nil, q.fail("receive from", err)
		}
	}
}

const (
	// again is when to ask where only what is no message came.
	again = 0
	// paused is when to ask where the queue is paused.
	paused = -1
	// pausedFor is how soon a queue that is not paused any more is noticed.
	pausedFor = 500 * time.Millisecond
)

// take answers the oldest messages of this worker's list that it has not received,
// else those at the head, or none and after what time it is worth asking again. An
// answer that is lost is not believed to be received, so the next call gives the same
// messages again.
func (q *Queue) take(ctx context.Context, most int) ([]Message, time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	q.asking.Lock()
	defer q.asking.Unlock()
	name, heard, asked := nonce(), q.unconfirmed(), time.Now()
	args := append([]any{q.cfg.Worker, q.cfg.Lease.Milliseconds(), name, most, flag(q.cfg.Waits)}, heard...)
	answer, err := q.scripts.take.Run(ctx, q.rdb, q.all(), args...).Slice()
	if err != nil {
		q.doubt()
		return nil, 0, err
	}
	q.renewed(asked, heard)
	if len(answer)%3 != 0 || len(answer) == 0 {
		return nil, 0, fmt.Errorf("unexpected answer %v", answer)
	}
	q.setHeld(number(answer[0]))
	if len(answer) == 3 {
		return nil, when(number(answer[1]) == 1, number(answer[2])), nil
	}
	q.hear(name)
	got, err := q.openAll(ctx, answer[3:])
	return got, again, err
}

func flag(set bool) int {
	if set {
		return 1
	}
	return 0
}

func number(answer any) int64 {
	n, _ := answer.(int64)
	return n
}

// when is after what time an empty queue is asked again.
func when(isPaused bool, due int64) time.Duration {
	switch {
	case isPaused:
		return paused
	case due < 0:
		return block
	}
	return max(time.Millisecond, min(block, time.Duration(due)*time.Millisecond))
}

// await moves the head of the queue into this worker's list, when one comes. A
// paused queue is only waited for.
func (q *Queue) await(ctx context.Context, wait time.Duration, end time.Time, next time.Duration) error {
	left := next
	if next == paused {
		left = pausedFor
	}
	if wait >= 0 {
		left = min(left, time.Until(end))
	}
	if deadline, ok := ctx.Deadline(); ok {
		left = min(left, time.Until(deadline))
	}
	left = max(left, time.Millisecond) // never 0, which is for ever
	if next == paused {
		select {
		case <-ctx.Done():
		case <-time.After(left):
		}
		return nil
	}
	// Not BLMove, which rounds up to a second.
	cmd := once{redis.NewCmd(ctx, "BLMOVE", q.keys.Pending, q.taken, "RIGHT", "LEFT", strconv.FormatFloat(left.Seconds(), 'f', 3, 64))}
	err := q.rdb.Process(ctx, cmd)
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err != nil {
		q.doubt()
	}
	return err
}

// once is a command that go-redis does not send again after a lost answer: the
// second one would take a second message, which others could have had.
type once struct{ *redis.Cmd }

func (once) NoRetry() bool { return true }

// openAll reads the messages of an answer of lua/take.lua. What is none becomes a dead letter.
func (q *Queue) openAll(ctx context.Context, answer []any) ([]Message, error) {
	got := make([]Message, 0, len(answer)/3)
	for part := range slices.Chunk(answer, 3) {
		m, err := q.open(ctx, part)
		switch {
		case err == nil:
			got = append(got, m)
		case !errors.Is(err, ErrMalformed):
			return nil, err
		}
	}
	return got, nil
}

// open reads a message of an answer of lua/take.lua: element, envelope, what is known.
func (q *Queue) open(ctx context.Context, part []any) (Message, error) {
	element, _ := part[0].(string)
	key, ok := keyOf(element)
	if !ok {
		return Message{}, fmt.Errorf("unexpected element %q", element)
	}
	raw, there := part[1].(string)
	m, err := Decode([]byte(raw))
	if !there {
		err = fmt.Errorf("%w: the envelope of %q is lost", ErrMalformed, key)
	}
	if err != nil {
		if failed := q.quarantine(ctx, key, err); failed != nil {
			return Message{}, failed
		}
		return Message{}, err
	}
	known, _ := part[2].(string)
	m.learn(known)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.noteCopy(m.ID, key)
	return m, nil
}
