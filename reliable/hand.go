package reliable

import (
	"context"
	"slices"
	"strings"
)

// readAtOnce bounds how many messages are read with one command.
const readAtOnce = 1000

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
// Ids that it does not have, or no longer, are no error. Its cost does not depend
// on how many messages the queue or this worker's hand holds.
func (q *Queue) Ack(ctx context.Context, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	if err := q.drop(ctx, q.keysOf(ids...)...); err != nil {
		return q.fail("acknowledge in", err)
	}
	q.release(ids...)
	return nil
}

func (q *Queue) drop(ctx context.Context, keys ...any) error {
	return q.scripts.ack.Run(ctx, q.rdb, []string{q.keys.Messages, q.taken, q.hand}, keys...).Err()
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
	pipe := q.rdb.TxPipeline()
	taken, hand := pipe.LRange(ctx, q.taken, 0, -1), pipe.ZRange(ctx, q.hand, 0, -1)
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	elements := make([]string, 0, len(hand.Val())+len(taken.Val()))
	for _, key := range hand.Val() {
		elements = append(elements, "# "+key)
	}
	for _, element := range slices.Backward(taken.Val()) {
		elements = append(elements, element)
	}
	var mine []Message
	err := q.read(ctx, elements, func(element, raw string) error {
		m, err := Decode([]byte(raw))
		key, _ := keyOf(element)
		if err != nil {
			return q.quarantine(ctx, key, element, raw, err)
		}
		mine = append(mine, m)
		if key != "" {
			q.mu.Lock()
			q.noteCopy(m.ID, key)
			q.mu.Unlock()
		}
		return nil
	})
	return mine, err
}

// read reads the messages that elements of a list name, in their order. Those that
// are gone meanwhile are left out.
func (q *Queue) read(ctx context.Context, elements []string, each func(element, raw string) error) error {
	for some := range slices.Chunk(elements, readAtOnce) {
		var keys []string
		for _, element := range some {
			if key, ok := keyOf(element); ok {
				keys = append(keys, key)
			}
		}
		var envelopes []any
		if len(keys) > 0 {
			var err error
			if envelopes, err = q.rdb.HMGet(ctx, q.keys.Messages, keys...).Result(); err != nil {
				return err
			}
		}
		for _, element := range some {
			raw, there := element, true
			if _, ok := keyOf(element); ok {
				raw, there = envelopes[0].(string)
				envelopes = envelopes[1:]
			}
			if !there {
				continue
			}
			if err := each(element, raw); err != nil {
				return err
			}
		}
	}
	return nil
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
	q.asking.Lock()
	defer q.asking.Unlock()
	received, elements := q.received()
	keys := []string{q.keys.Pending, q.keys.Takers, q.taken, q.hand}
	args := append([]any{q.cfg.Worker, q.cfg.Lease.Milliseconds(), home}, elements...)
	held, err := q.scripts.lease.Run(ctx, q.rdb, keys, args...).Int64()
	if err != nil {
		return q.fail("extend the lease in", err)
	}
	q.confirm(received)
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

// received is what Redis does not know yet to be received.
func (q *Queue) received() (received map[string]string, elements []any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	received = make(map[string]string, len(q.fresh))
	for key, element := range q.fresh {
		received[key], elements = element, append(elements, element)
	}
	return received, elements
}

// confirm forgets what Redis knows now.
func (q *Queue) confirm(received map[string]string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for key, element := range received {
		if q.fresh[key] == element {
			delete(q.fresh, key)
		}
	}
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
		for _, key := range append(q.copies[id], id) {
			delete(q.fresh, key)
		}
		delete(q.copies, id)
	}
}
