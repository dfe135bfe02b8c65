package reliable

import (
	"context"
	"slices"
)

// Ack says that messages are done with: they leave this worker's hands for good.
// Ids that it does not have, or no longer, are no error.
func (q *Queue) Ack(ctx context.Context, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	q.takes.RLock() // else stray could find one between the two steps
	defer q.takes.RUnlock()
	if err := q.scripts.ack.Run(ctx, q.rdb, []string{q.taken}, args...).Err(); err != nil {
		return q.fail("acknowledge in", err)
	}
	q.release(ids...)
	return nil
}

// Mine is what this worker has in hand, the oldest first. What is no message
// becomes a dead letter.
func (q *Queue) Mine(ctx context.Context) ([]Message, error) {
	mine, err := q.mine(ctx)
	if err != nil {
		return nil, q.fail("read this worker's messages of", err)
	}
	return mine, nil
}

func (q *Queue) mine(ctx context.Context) ([]Message, error) {
	raws, err := q.rdb.LRange(ctx, q.taken, 0, -1).Result()
	if err != nil {
		return nil, err
	}
	var mine []Message
	for _, raw := range slices.Backward(raws) {
		m, err := Decode([]byte(raw))
		if err == nil {
			mine = append(mine, m)
		} else if err := q.quarantine(ctx, raw, err); err != nil {
			return nil, err
		}
	}
	return mine, nil
}

// Extend renews this worker's lease. What a lease lost before then has gone home:
// Mine tells what is left.
func (q *Queue) Extend(ctx context.Context) error {
	if err := q.lease(ctx); err != nil {
		return q.fail("extend the lease in", err)
	}
	return nil
}

func (q *Queue) lease(ctx context.Context) error {
	return q.scripts.lease.Run(ctx, q.rdb, []string{q.keys.Takers}, q.cfg.Worker, q.cfg.Lease.Milliseconds()).Err()
}
