package reliable

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"
)

// Nack says that the deliveries of messages failed, and why. Each is delivered
// again after its backoff, or becomes a dead letter where that was its last attempt.
// What this worker does not have, or no longer, is no error.
func (q *Queue) Nack(ctx context.Context, why error, messages ...Message) error {
	return q.NackAfter(ctx, -1, why, messages...)
}

// NackAfter is Nack with the time until the next delivery; below zero is the backoff.
func (q *Queue) NackAfter(ctx context.Context, after time.Duration, why error, messages ...Message) error {
	for some := range slices.Chunk(messages, ackAtOnce) {
		args, ids := []any{q.cfg.Worker, why.Error(), max(0, q.cfg.MaxAttempts)}, []string{}
		for _, m := range some {
			wait := after
			if wait < 0 {
				wait = q.backoff(m)
			}
			ids = append(ids, m.ID)
			for _, key := range q.keysOf(m.ID) {
				args = append(args, key, wait.Milliseconds())
			}
		}
		if err := q.scripts.nack.Run(ctx, q.rdb, q.all(), args...).Err(); err != nil {
			return q.fail("return to", err)
		}
		q.release(ids...)
	}
	return nil
}

// backoff draws the time to the next delivery: anything below a bound that doubles
// with each failure, so that what failed together does not come back together.
func (q *Queue) backoff(m Message) time.Duration {
	bound := q.cfg.Backoff
	if m.Backoff > 0 {
		bound = m.Backoff
	}
	for range m.Attempt {
		if bound *= 2; bound >= q.cfg.MaxBackoff {
			break
		}
	}
	return rand.N(max(min(bound, max(q.cfg.MaxBackoff, m.Backoff)), 1)) //nolint:gosec // no secret
}

// Release gives messages back that this worker has not worked at: to the head of
// the queue, in the order of the arguments, and without counting a delivery. What it
// does not have, or no longer, is no error.
func (q *Queue) Release(ctx context.Context, messages ...Message) error {
	// The last first, since each goes to the head.
	for end := len(messages); end > 0; end -= min(end, ackAtOnce) {
		some, args, ids := messages[max(0, end-ackAtOnce):end], []any{}, []string{}
		for _, m := range some {
			ids = append(ids, m.ID)
			args = append(args, q.keysOf(m.ID)...)
		}
		if err := q.scripts.release.Run(ctx, q.rdb, q.all(), args...).Err(); err != nil {
			return q.fail("release to", err)
		}
		q.release(ids...)
	}
	return nil
}

// Close says good-bye: what this worker was never given goes home, and its name is
// forgotten where it has nothing in hand. Messages in hand stay until its lease ends.
// The queue must not be used after it.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	idle, unsure := q.lapses.IsZero(), len(q.lost) > 0
	q.mu.Unlock()
	if idle && !unsure {
		return nil // it never took anything
	}
	if err := q.Extend(ctx); err != nil {
		return err
	}
	if unsure {
		return nil // a BLMOVE may still be under way: the name is remembered for its sake
	}
	if err := q.scripts.leave.Run(ctx, q.rdb, q.all(), q.cfg.Worker).Err(); err != nil {
		return q.fail("leave", err)
	}
	return nil
}

// errDrained is the cause of a handler's context whose time to drain is over.
var errDrained = errors.New("the worker is ending")

// errLapsed is the cause of a handler's context whose worker lost its lease.
var errLapsed = errors.New("the worker's lease has lapsed: another worker may have the message")
