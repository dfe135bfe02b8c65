package reliable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Depth is how much is where.
type Depth struct {
	// Waiting, Delayed, Taken and Dead count messages.
	Waiting, Delayed, Taken, Dead int64
	// Oldest is the age of the message at the head, by Redis' clock; 0 where none
	// waits or its time is unknown.
	Oldest time.Duration
	// Paused says that nobody is given what waits.
	Paused bool
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
	waiting, err := q.peek(ctx, raws)
	if err != nil {
		return nil, q.fail("peek into", err)
	}
	return waiting, nil
}

// peek reads the messages of elements of the queue.
func (q *Queue) peek(ctx context.Context, elements []string) (waiting []Message, err error) {
	gone, err := q.rdb.SMembersMap(ctx, q.keys.Gone).Result()
	if err != nil {
		return nil, err
	}
	err = q.read(ctx, elements, func(key, raw, known string) error {
		_, left := gone[key]
		if m, err := Decode([]byte(raw)); err == nil && !left {
			m.learn(known)
			waiting = append(waiting, m)
		}
		return nil
	})
	return waiting, err
}

// PeekDelayed answers up to limit delayed messages, the next one that is due first,
// and takes none. A limit of 0 or less answers none.
func (q *Queue) PeekDelayed(ctx context.Context, limit int) ([]Message, error) {
	if limit <= 0 {
		return nil, nil
	}
	keys, err := q.rdb.ZRange(ctx, q.keys.Delayed, 0, int64(limit)-1).Result()
	for i, key := range keys {
		keys[i] = "# " + key
	}
	var delayed []Message
	if err == nil {
		delayed, err = q.peek(ctx, keys)
	}
	if err != nil {
		return nil, q.fail("peek into", err)
	}
	return delayed, nil
}

// errBusy says that workers came and went faster than they could be counted.
var errBusy = errors.New("its workers keep changing")

// Depth counts at one moment, so that the numbers add up.
func (q *Queue) Depth(ctx context.Context) (Depth, error) {
	d, _, err := q.count(ctx, false)
	return d, err
}

func (q *Queue) count(ctx context.Context, open bool) (Depth, Books, error) {
	for range 10 {
		workers, err := q.rdb.ZRange(ctx, q.keys.Takers, 0, -1).Result()
		if err != nil {
			return Depth{}, Books{}, q.fail("count", err)
		}
		d, b, err := q.countOf(ctx, open, workers)
		if err == nil {
			return d, b, nil
		}
		if !errors.Is(err, errBusy) {
			return Depth{}, Books{}, q.fail("count", err)
		}
	}
	return Depth{}, Books{}, q.fail("count", errBusy)
}

func (q *Queue) countOf(ctx context.Context, open bool, workers []string) (Depth, Books, error) {
	keys, args := q.all(), []any{flag(open)}
	for _, worker := range workers {
		lists, err := q.listsOf(worker)
		if err != nil {
			return Depth{}, Books{}, err
		}
		keys, args = append(keys, lists...), append(args, worker)
	}
	reply, err := q.scripts.depth.Run(ctx, q.rdb, keys, args...).Result()
	if err != nil {
		return Depth{}, Books{}, err
	}
	if reply == int64(-1) {
		return Depth{}, Books{}, errBusy
	}
	return readCount(reply)
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

func readCount(reply any) (Depth, Books, error) {
	row, ok := reply.([]any)
	if !ok || len(row) != 12 {
		return Depth{}, Books{}, fmt.Errorf("unexpected answer %v", reply)
	}
	var d Depth
	var b Books
	var now, pause int64
	for i, into := range map[int]*int64{
		0: &d.Waiting, 1: &d.Delayed, 2: &d.Taken, 3: &d.Dead, 5: &now, 6: &pause, 7: &b.Pushed, 8: &b.Done, 9: &b.Dropped, 10: &b.Failed,
	} {
		if *into, ok = row[i].(int64); !ok {
			return Depth{}, Books{}, fmt.Errorf("unexpected answer %v", reply)
		}
	}
	if d.Waiting < 0 { // an element of what has expired is in somebody's taken list
		d.Taken, d.Waiting = d.Taken+d.Waiting, 0
	}
	d.Paused = pause == 1
	head, _ := row[4].(string)
	if m, err := Decode([]byte(head)); err == nil && !m.At.IsZero() && d.Waiting > 0 {
		d.Oldest = max(0, time.UnixMilli(now).Sub(m.At))
	}
	b.Waits = readWaits(row[11])
	b.Dead, b.Waiting, b.Delayed, b.Taken = d.Dead, d.Waiting, d.Delayed, d.Taken
	return d, b, nil
}
