package reliable

import (
	"context"
	"errors"
	"slices"
)

// pushAtOnce bounds how long one script keeps Redis busy.
const pushAtOnce = 500

// Push adds messages at the tail, in their order, and answers how many of them
// are new: one whose id was pushed within Config.Dedup is there already. Where it
// fails, those counted are in, those after them may be: push them all again.
func (q *Queue) Push(ctx context.Context, messages ...Message) (pushed int, err error) {
	for some := range slices.Chunk(messages, pushAtOnce) {
		keys, args := []string{q.keys.Pending, q.keys.Messages}, []any{q.cfg.Dedup.Milliseconds(), nonce()}
		for _, m := range some {
			if m.ID == "" {
				m.ID = nonce()
			}
			seen, raw, err := q.wire(m)
			if err != nil {
				return pushed, q.fail("push to", err)
			}
			keys, args = append(keys, seen), append(args, m.ID, raw)
		}
		n, err := q.scripts.push.Run(ctx, q.rdb, keys, args...).Int()
		if err != nil {
			return pushed, q.fail("push to", err)
		}
		pushed += n
	}
	return pushed, nil
}

func (q *Queue) wire(m Message) (seen string, raw []byte, err error) {
	if raw, err = Encode(m); err != nil {
		return "", nil, err
	}
	seen, err = q.keys.Seen(m.ID)
	return seen, raw, err
}

// ErrNotTaken says that this worker does not have the message: it was
// acknowledged, or its lease lapsed and another worker may have it now.
var ErrNotTaken = errors.New("this worker does not have the message")

// Replace acknowledges a message and pushes its successor at the tail, both or
// neither. The successor may have the same id: a job that goes on later. One
// whose id was pushed within Config.Dedup by somebody else is there already.
func (q *Queue) Replace(ctx context.Context, done string, next Message) error {
	seen, raw, err := q.wire(next)
	if err != nil {
		return q.fail("replace "+done+" in", err)
	}
	keys := []string{q.keys.Pending, q.keys.Messages, q.taken, q.hand, seen}
	args := append([]any{q.cfg.Dedup.Milliseconds(), nonce(), next.ID, raw}, q.keysOf(done)...)
	code, err := q.scripts.replace.Run(ctx, q.rdb, keys, args...).Int()
	if err == nil && code == -1 {
		err = ErrNotTaken
	}
	if err != nil {
		return q.fail("replace "+done+" in", err)
	}
	q.release(done)
	return nil
}
