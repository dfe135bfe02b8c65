package reliable

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

const (
	// shelf is how the worker is called that a shelf is in the eyes of takers.
	shelf = "shelf:"
	// adoptAtOnce bounds how long one script keeps Redis busy.
	adoptAtOnce = 500
)

// forever is the lease of a shelf.
var forever = &redis.ZRangeBy{Min: "+inf", Max: "+inf"}

// Park puts messages that this worker has in hand on a shelf, where they stay until
// a worker adopts them: no lease ends there. Ids that it does not have, or no longer, are no error.
func (q *Queue) Park(ctx context.Context, name string, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	hand, err := q.keys.Hand(shelf + name)
	if err == nil {
		args := append([]any{shelf + name}, q.keysOf(ids...)...)
		err = q.scripts.park.Run(ctx, q.rdb, q.all(hand), args...).Err()
	}
	if err != nil {
		return q.fail("park in", err)
	}
	q.release(ids...)
	return nil
}

// Shelves are the names of the shelves that are not empty.
func (q *Queue) Shelves(ctx context.Context) ([]string, error) {
	var names []string
	workers, err := q.rdb.ZRangeByScore(ctx, q.keys.Takers, forever).Result()
	if err != nil {
		return nil, q.fail("list the shelves of", err)
	}
	for _, worker := range workers {
		if name, ok := strings.CutPrefix(worker, shelf); ok {
			names = append(names, name)
		}
	}
	return names, nil
}

// Adopt takes up to 500 messages of a shelf, the oldest first, into this worker's
// hands, where Mine shows them.
func (q *Queue) Adopt(ctx context.Context, name string) error {
	from, err := q.keys.Hand(shelf + name)
	if err != nil {
		return q.fail("adopt from", err)
	}
	counts, err := q.scripts.adopt.Run(ctx, q.rdb, q.all(from),
		shelf+name, q.cfg.Worker, q.cfg.Lease.Milliseconds(), adoptAtOnce).Int64Slice()
	if err != nil {
		return q.fail("adopt from", err)
	}
	q.setHeld(counts[len(counts)-1])
	return nil
}
