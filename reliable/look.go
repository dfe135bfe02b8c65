package reliable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Depth is how much lies where.
type Depth struct {
	// Waiting, Taken and Dead count messages.
	Waiting, Taken, Dead int64
	// Oldest is the age of the message at the head, by Redis' clock; 0 where none
	// waits or its time is unknown.
	Oldest time.Duration
}

// Peek answers up to limit waiting messages, the head first, and takes none. What
// is no message is left out. A limit of 0 or less answers none.
func (q *Queue) Peek(ctx context.Context, limit int) ([]Message, error) {
	if limit <= 0 {
		return nil, nil
	}
	raws, err := q.rdb.LRange(ctx, q.keys.Pending, int64(-limit), -1).Result()
	if err != nil {
		return nil, q.fail("peek into", err)
	}
	slices.Reverse(raws)
	var waiting []Message
	err = q.read(ctx, raws, func(_, raw string) error {
		if m, err := Decode([]byte(raw)); err == nil {
			waiting = append(waiting, m)
		}
		return nil
	})
	if err != nil {
		return nil, q.fail("peek into", err)
	}
	return waiting, nil
}

// errBusy says that workers came and went faster than they could be counted.
var errBusy = errors.New("its workers keep changing")

// Depth counts at one moment, so that the numbers add up.
func (q *Queue) Depth(ctx context.Context) (Depth, error) {
	for range 10 {
		d, err := q.depthOnce(ctx)
		if err == nil {
			return d, nil
		}
		if !errors.Is(err, errBusy) {
			return Depth{}, q.fail("count", err)
		}
	}
	return Depth{}, q.fail("count", errBusy)
}

func (q *Queue) depthOnce(ctx context.Context) (Depth, error) {
	workers, err := q.rdb.ZRange(ctx, q.keys.Takers, 0, -1).Result()
	if err != nil {
		return Depth{}, err
	}
	return q.depthOf(ctx, workers)
}

func (q *Queue) depthOf(ctx context.Context, workers []string) (Depth, error) {
	keys, args := []string{q.keys.Pending, q.keys.Takers, q.keys.Dead, q.keys.Messages}, []any{}
	for _, worker := range workers {
		lists, err := q.listsOf(worker)
		if err != nil {
			return Depth{}, err
		}
		keys, args = append(keys, lists...), append(args, worker)
	}
	reply, err := q.scripts.depth.Run(ctx, q.rdb, keys, args...).Result()
	if err != nil {
		return Depth{}, err
	}
	if reply == int64(-1) {
		return Depth{}, errBusy
	}
	return readDepth(reply)
}

// listsOf are the keys of what a worker took.
func (q *Queue) listsOf(worker string) ([]string, error) {
	taken, err := q.keys.Taken(worker)
	if err != nil {
		return nil, err
	}
	hand, err := q.keys.Hand(worker)
	return []string{taken, hand}, err
}

func readDepth(reply any) (Depth, error) {
	row, ok := reply.([]any)
	if !ok || len(row) != 5 {
		return Depth{}, fmt.Errorf("unexpected answer %v", reply)
	}
	var d Depth
	var now int64
	for i, into := range map[int]*int64{0: &d.Waiting, 1: &d.Taken, 2: &d.Dead, 4: &now} {
		if *into, ok = row[i].(int64); !ok {
			return Depth{}, fmt.Errorf("unexpected answer %v", reply)
		}
	}
	head, _ := row[3].(string)
	if m, err := Decode([]byte(head)); err == nil && !m.At.IsZero() {
		d.Oldest = max(0, time.UnixMilli(now).Sub(m.At))
	}
	return d, nil
}
