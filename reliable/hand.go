package reliable

import (
	"context"
	"slices"
	"strings"
	"time"
)

const (
	// readAtOnce bounds how many messages are read with one command.
	readAtOnce = 1000
	// ackAtOnce bounds how long one script keeps Redis busy.
	ackAtOnce = 500
)

// keyOf is the key of the message that an element of a list names, false where
// the element is a whole envelope, as older versions wrote them, or no message.
func keyOf(element string) (key string, ok bool) {
	rest, ok := strings.CutPrefix(element, "#")
	if !ok {
		return "", false
	}
	_, key, ok = strings.Cut(rest, " ")
	return key, ok
}

// Ack says that messages are done with: they leave this worker's hands for good.
// Ids that it does not have, or no longer, are no error. Up to 500 are one round trip.
// Its cost does not depend on how many messages the queue or this worker's hand holds.
func (q *Queue) Ack(ctx context.Context, ids ...string) error {
	for some := range slices.Chunk(ids, ackAtOnce) {
		args := append([]any{q.cfg.Receipts}, q.keysOf(some...)...)
		if err := q.scripts.ack.Run(ctx, q.rdb, q.all(), args...).Err(); err != nil {
			return q.fail("acknowledge in", err)
		}
		q.release(some...)
	}
	return nil
}

// Mine is what this worker has in hand, the oldest first. What is no message
// becomes a dead letter, now or, where it is not even an element, with the next Receive.
func (q *Queue) Mine(ctx context.Context) ([]Message, error) {
	mine, err := q.mine(ctx)
	if err != nil {
		return nil, q.fail("read this worker's messages of", err)
	}
	return mine, nil
}

func (q *Queue) mine(ctx context.Context) ([]Message, error) {
	pipe := q.rdb.TxPipeline()
	taken, hand := pipe.LRange(ctx, q.taken, 0, -1), pipe.ZRange(ctx, q.hand, 0, -1)
	gone := pipe.SMembersMap(ctx, q.keys.Gone)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	elements := slices.DeleteFunc(elementsOf(hand.Val(), taken.Val()), func(element string) bool {
		key, ok := keyOf(element)
		_, left := gone.Val()[key]
		return !ok || left
	})
	var mine []Message
	err := q.read(ctx, elements, func(key, raw, known string) error {
		m, err := Decode([]byte(raw))
		if err != nil {
			return q.quarantine(ctx, key, err)
		}
		m.learn(known)
		mine = append(mine, m)
		q.mu.Lock()
		defer q.mu.Unlock()
		q.noteCopy(m.ID, key)
		return nil
	})
	return mine, err
}

// elementsOf are the elements of a worker's hand and of its taken list, whose newest is
// at the left, together.
func elementsOf(hand, taken []string) []string {
	elements := make([]string, 0, len(hand)+len(taken))
	for _, key := range hand {
		elements = append(elements, "# "+key)
	}
	for _, element := range slices.Backward(taken) {
		elements = append(elements, element)
	}
	return elements
}

// read reads the messages that elements of a list name, in their order, with what is
// known of them. Those that are gone meanwhile are left out. An element that is a whole
// envelope, as older versions wrote them, has no key.
func (q *Queue) read(ctx context.Context, elements []string, each func(key, raw, known string) error) error {
	for some := range slices.Chunk(elements, readAtOnce) {
		var keys []string
		for _, element := range some {
			if key, ok := keyOf(element); ok {
				keys = append(keys, key)
			}
		}
		raws, known, err := q.envelopes(ctx, keys)
		if err != nil {
			return err
		}
		for _, element := range some {
			key, raw, beyond, there := "", element, "", true
			if k, ok := keyOf(element); ok {
				key = k
				raw, there = raws[0].(string)
				beyond, _ = known[0].(string)
				raws, known = raws[1:], known[1:]
			}
			if !there {
				continue
			}
			if err := each(key, raw, beyond); err != nil {
				return err
			}
		}
	}
	return nil
}

// envelopes reads the envelopes of keys, and what is known beyond them.
func (q *Queue) envelopes(ctx context.Context, keys []string) (raws, known []any, err error) {
	if len(keys) == 0 {
		return nil, nil, nil
	}
	pipe := q.rdb.Pipeline()
	r, k := pipe.HMGet(ctx, q.keys.Messages, keys...), pipe.HMGet(ctx, q.keys.Tries, keys...)
	_, err = pipe.Exec(ctx)
	return r.Val(), k.Val(), err
}

// Extend renews this worker's lease. What a lease lost before then has gone home:
// Mine tells what is left. A message that was taken for a Receive whose answer was
// lost, and that no Receive asks for now, goes home too.
func (q *Queue) Extend(ctx context.Context) error {
	home := 0
	if q.taking.TryLock() {
		defer q.taking.Unlock()
		home = 1
	}
	heard, asked := q.unconfirmed(), time.Now()
	args := append([]any{q.cfg.Worker, q.cfg.Lease.Milliseconds(), home}, heard...)
	held, err := q.scripts.lease.Run(ctx, q.rdb, q.all(), args...).Int64()
	if err != nil {
		return q.fail("extend the lease in", err)
	}
	q.renewed(asked, nil)
	q.setHeld(held)
	return nil
}

// Held is how many messages Redis had in this worker's hand when Receive or Extend
// last asked: also those that a script of another package put there.
func (q *Queue) Held() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return int(q.held)
}

func (q *Queue) setHeld(n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held = n
}

// unconfirmed are the names of the calls whose answers came, which Redis does not
// know yet.
func (q *Queue) unconfirmed() (names []any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for name := range q.heard {
		names = append(names, name)
	}
	return names
}

// renewed notes that a call which was sent at that time has renewed the lease, and
// that Redis knows now which answers had come before.
func (q *Queue) renewed(asked time.Time, heard []any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, name := range heard {
		delete(q.heard, name.(string))
	}
	q.lapses = asked.Add(q.cfg.Lease)
}

// noteCopy notes the key of a message where that is not its id. The caller holds mu.
func (q *Queue) noteCopy(id, key string) {
	if key != id && !slices.Contains(q.copies[id], key) {
		q.copies[id] = append(q.copies[id], key)
	}
}

// keysOf are the keys that messages in this worker's hands may have.
func (q *Queue) keysOf(ids ...string) []any {
	q.mu.Lock()
	defer q.mu.Unlock()
	keys := make([]any, 0, len(ids))
	for _, id := range ids {
		keys = append(keys, id)
	}
	for _, id := range ids {
		for _, key := range q.copies[id] {
			keys = append(keys, key)
		}
	}
	return keys
}

// release forgets messages that this worker no longer has.
func (q *Queue) release(ids ...string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, id := range ids {
		delete(q.copies, id)
	}
}
