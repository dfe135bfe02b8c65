package reliable

import "context"

// InHand are the messages that workers have in hand, by worker, the oldest first. It
// is a look for people: workers go on meanwhile.
func (q *Queue) InHand(ctx context.Context) (map[string][]Message, error) {
	workers, err := q.rdb.ZRange(ctx, q.keys.Takers, 0, -1).Result()
	if err != nil {
		return nil, q.fail("look into the hands of", err)
	}
	hands := map[string][]Message{}
	for _, worker := range workers {
		elements, err := q.inHandOf(ctx, worker)
		if err != nil {
			return nil, q.fail("look into the hands of", err)
		}
		messages, err := q.peek(ctx, elements)
		if err != nil {
			return nil, q.fail("look into the hands of", err)
		}
		if len(messages) > 0 {
			hands[worker] = messages
		}
	}
	return hands, nil
}

// inHandOf are the elements of what a worker has, the oldest first.
func (q *Queue) inHandOf(ctx context.Context, worker string) ([]string, error) {
	lists, err := q.listsOf(worker)
	if err != nil {
		return nil, err
	}
	pipe := q.rdb.Pipeline() // a Redis that is full refuses transactions, also of looks
	taken, hand := pipe.LRange(ctx, lists[0], 0, -1), pipe.ZRange(ctx, lists[1], 0, -1)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	return elementsOf(hand.Val(), taken.Val()), nil
}
