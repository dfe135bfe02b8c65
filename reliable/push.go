package reliable

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

const (
	// pushAtOnce bounds how long one script keeps Redis busy.
	pushAtOnce = 500
	// madeUpWindow is for ids that only a call that is sent twice can push again.
	madeUpWindow = time.Minute
	// madeUpLength is that of an id that Push makes up: 65 random bits.
	madeUpLength = 13
)

// callNumber is a random number to which a script can add exactly.
func callNumber() int64 {
	var b [8]byte
	rand.Read(b[:])                                      // never fails
	return int64(binary.LittleEndian.Uint64(b[:]) >> 12) //nolint:gosec // 52 bits
}

// ErrFull says that so many messages wait that Config.Limit allows no more.
var ErrFull = errors.New("the queue is full")

// Push adds messages at the tail, in their order, and answers how many of them
// are new: one that was pushed within its Window is there already. Up to 500 are one
// round trip, all or none. Where it fails, those counted are in, those after them may
// be: push them all again.
func (q *Queue) Push(ctx context.Context, messages ...Message) (pushed int, err error) {
	for some := range slices.Chunk(messages, pushAtOnce) {
		keys, args := q.all(), []any{callNumber(), q.cfg.Limit}
		for _, m := range some {
			mark, parts, err := q.parcel(m)
			if err != nil {
				return pushed, q.fail("push to", err)
			}
			keys, args = append(keys, mark), append(args, parts...)
		}
		n, err := q.commit(ctx, keys, args)
		if err == nil && n == -1 {
			err = ErrFull
		}
		if err != nil {
			return pushed, q.fail("push to", err)
		}
		pushed += n
	}
	return pushed, nil
}

// parcel is a message as lua/push.lua reads it.
func (q *Queue) parcel(m Message) (mark string, parts []any, err error) {
	window := m.Window
	if m.ID == "" {
		m.ID = nonce()[:madeUpLength]
		if window == 0 && m.Once == "" {
			window = min(madeUpWindow, q.cfg.Dedup)
		}
	}
	if window == 0 {
		window = q.cfg.Dedup
	}
	if m.Once == "" {
		m.Once = m.ID
	}
	for what, d := range map[string]time.Duration{"delay": m.Delay, "time to live": m.TTL, "window": window, "backoff": m.Backoff} {
		if d < 0 || d > 0 && d < time.Millisecond {
			return "", nil, errors.New("a message's " + what + " must be a millisecond at least")
		}
	}
	if m.MaxAttempts < 0 {
		return "", nil, errors.New("a message must have at least one attempt")
	}
	m.Attempt = 0
	raw, err := Encode(m)
	if err != nil {
		return "", nil, err
	}
	policy := ""
	if m.MaxAttempts > 0 || m.Backoff > 0 {
		text, err := json.Marshal(known{Max: m.MaxAttempts, Backoff: m.Backoff.Milliseconds()})
		if err != nil {
			return "", nil, err
		}
		policy = string(text)
	}
	mark, err = q.keys.Seen(m.Once)
	return mark, []any{m.ID, raw, window.Milliseconds(), m.Delay.Milliseconds(), m.TTL.Milliseconds(), policy, m.Dead}, err
}

// ErrNotTaken says that this worker does not have the message: it was
// acknowledged, or its lease lapsed and another worker may have it now.
var ErrNotTaken = errors.New("this worker does not have the message")

// Replace acknowledges a message and pushes its successor at the tail, both or
// neither. The successor may have the same id: a job that goes on later. One
// whose id was pushed within Config.Dedup by somebody else is there already.
func (q *Queue) Replace(ctx context.Context, done string, next Message) error {
	raw, err := Encode(next)
	if err != nil {
		return q.fail("replace "+done+" in", err)
	}
	mark, err := q.keys.Seen(next.ID)
	if err != nil {
		return q.fail("replace "+done+" in", err)
	}
	args := append([]any{q.cfg.Dedup.Milliseconds(), nonce(), next.ID, raw}, q.keysOf(done)...)
	code, err := q.scripts.replace.Run(ctx, q.rdb, q.all(mark), args...).Int()
	if err == nil && code == -1 {
		err = ErrNotTaken
	}
	if err != nil {
		return q.fail("replace "+done+" in", err)
	}
	q.release(done)
	return nil
}
