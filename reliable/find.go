package reliable

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// Place is where a message is.
type Place string

// The places.
const (
	Unknown Place = "unknown" // never pushed, or forgotten
	Waiting Place = "waiting"
	Delayed Place = "delayed"
	Taken   Place = "taken"
	Done    Place = "done" // acknowledged: see Config.Receipts
	Dead    Place = "dead"
)

// Find says where the message of an id is. Its cost grows with the number of
// workers, not of messages.
func (q *Queue) Find(ctx context.Context, id string) (Place, error) {
	workers, err := q.rdb.ZRange(ctx, q.keys.Takers, 0, -1).Result()
	if err != nil {
		return Unknown, q.fail("look in", err)
	}
	pipe := q.rdb.Pipeline() // a Redis that is full refuses transactions, also of looks
	there, delayed := pipe.HExists(ctx, q.keys.Messages, id), pipe.ZScore(ctx, q.keys.Delayed, id)
	dead, done := pipe.HExists(ctx, q.keys.Dead, id), pipe.ZScore(ctx, q.keys.Receipts, id)
	var hands []*redis.FloatCmd
	var lists []*redis.StringSliceCmd
	for _, worker := range workers {
		keys, err := q.listsOf(worker)
		if err != nil {
			return Unknown, q.fail("look in", err)
		}
		lists, hands = append(lists, pipe.LRange(ctx, keys[0], 0, -1)), append(hands, pipe.ZScore(ctx, keys[1], id))
	}
	if _, err := pipe.Exec(ctx); err != nil && err != redis.Nil { //nolint:errorlint // of Exec itself
		return Unknown, q.fail("look in", fmt.Errorf("%s: %w", id, err))
	}
	taken := false
	for i := range workers {
		taken = taken || hands[i].Err() == nil
		for _, element := range lists[i].Val() {
			key, ok := keyOf(element)
			taken = taken || ok && key == id
		}
	}
	switch {
	case dead.Val():
		return Dead, nil
	case there.Val() && delayed.Err() == nil:
		return Delayed, nil
	case there.Val() && taken:
		return Taken, nil
	case there.Val():
		return Waiting, nil
	case done.Err() == nil:
		return Done, nil
	}
	return Unknown, nil
}
