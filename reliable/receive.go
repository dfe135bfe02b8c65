package reliable

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	got, next, err := q.take(ctx, most)
	for end := time.Now().Add(wait); ; {
		switch {
		case err != nil:
			return nil, q.fail("receive from", err)
		case len(got) > 0:
			return got, nil
		case next == again:
			got, next, err = q.take(ctx, most)
		case wait >= 0 && !time.Now().Before(end):
			err = ErrEmpty
		default:
			got, next, err = q.await(ctx, most, patient(ctx, wait, end, next), next == paused)
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
	c, err := q.call(ctx, most)
	if err != nil {
		return nil, 0, err
	}
	answer, err := q.scripts.take.Run(ctx, q.rdb, q.all(), c.args...).Slice()
	return q.answered(ctx, c, answer, err)
}

// call is a call of lua/take.lua.
type call struct {
	name  string
	args  []any
	heard []any // names that it tells
	at    time.Time
}

// lateCall is how long after it was given up a call may still reach Redis.
const lateCall = 10 * time.Minute

// call makes one. What calls took that were not answered is given again to it; what
// others took that are under way is theirs.
func (q *Queue) call(ctx context.Context, most int) (call, error) {
	if err := ctx.Err(); err != nil {
		return call{}, err
	}
	c := call{name: nonce(), at: time.Now()}
	q.mu.Lock()
	defer q.mu.Unlock()
	maps.DeleteFunc(q.lost, func(_ string, at time.Time) bool { return c.at.Sub(at) > lateCall })
	c.args = []any{q.cfg.Worker, q.cfg.Lease.Milliseconds(), c.name, most, flag(q.cfg.Waits), len(q.lost)}
	for name := range q.lost {
		c.args = append(c.args, name)
	}
	for name := range q.heard {
		c.heard = append(c.heard, name)
	}
	c.args = append(c.args, c.heard...)
	return c, nil
}

// answered reads the answer of a call.
func (q *Queue) answered(ctx context.Context, c call, answer []any, err error) ([]Message, time.Duration, error) {
	if err == nil && (len(answer)%3 != 0 || len(answer) == 0) {
		err = fmt.Errorf("unexpected answer %v", answer)
	}
	q.mu.Lock()
	if err != nil {
		q.lost[c.name] = c.at
	} else if len(answer) > 3 {
		q.heard[c.name] = true
	}
	q.mu.Unlock()
	if err != nil {
		return nil, 0, err
	}
	q.renewed(c.at, c.heard)
	q.setHeld(number(answer[0]))
	if len(answer) == 3 {
		return nil, when(number(answer[1]) == 1, number(answer[2])), nil
	}
	got, err := q.openAll(ctx, answer[3:])
	if err != nil { // nobody has the others: the next call gives them again
		q.mu.Lock()
		delete(q.heard, c.name)
		q.lost[c.name] = c.at
		q.mu.Unlock()
		return nil, 0, err
	}
	return got, again, nil
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

// patient is how long to wait for a message at a time.
func patient(ctx context.Context, wait time.Duration, end time.Time, next time.Duration) time.Duration {
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
	return max(left, time.Millisecond) // never 0, which is for ever
}

// await moves the head of the queue into this worker's list, when one comes, and takes
// it: Redis begins with the second command as soon as the first is served, without a
// way to this process and back. A paused queue is only waited for.
func (q *Queue) await(ctx context.Context, most int, left time.Duration, isPaused bool) ([]Message, time.Duration, error) {
	if isPaused {
		select {
		case <-ctx.Done():
		case <-time.After(left):
		}
		return q.take(ctx, most)
	}
	c, err := q.call(ctx, most)
	if err != nil {
		return nil, 0, err
	}
	pipe := q.rdb.Pipeline()
	// Not BLMove, which rounds up to a second.
	move := once{redis.NewCmd(ctx, "BLMOVE", q.keys.Pending, q.taken, "RIGHT", "LEFT", strconv.FormatFloat(left.Seconds(), 'f', 3, 64))}
	_ = pipe.Process(ctx, move)
	take := q.scripts.take.Queue(ctx, pipe, q.all(), c.args...)
	_, _ = pipe.Exec(ctx) // each command says what became of it
	answer, err := take.Slice()
	if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
		answer, err = q.scripts.take.Run(ctx, q.rdb, q.all(), c.args...).Slice()
	}
	if merr := move.Err(); err == nil && merr != nil && !errors.Is(merr, redis.Nil) {
		err = merr
	}
	return q.answered(ctx, c, answer, err)
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
