package reliable

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DeadMessage is a message that no worker will be given.
type DeadMessage struct {
	// ID is the message's, or one made up for what is no message.
	ID string
	// Reason is one sentence.
	Reason string
	// Worker is the last that had it.
	Worker string
	// At is when it died, by Redis' clock.
	At time.Time
	// Attempts is how often it was delivered.
	Attempts int
	// History tells of those deliveries, and of those before a replay.
	History []Try
	// Raw is the envelope.
	Raw []byte

	key string
}

// letter is a DeadMessage on the wire, without what is kept elsewhere.
type letter struct {
	Reason   string  `json:"reason"`
	Worker   string  `json:"worker"`
	At       int64   `json:"at"` // ms since 1970, written by the script
	Attempts int     `json:"attempts"`
	Raw      *string `json:"raw,omitempty"`   // where there is no envelope, and from older versions
	Raw64    []byte  `json:"raw64,omitempty"` // from older versions
}

// ErrNoLetter says that no dead letter has an id.
var ErrNoLetter = errors.New("no such dead letter")

// Dead is the queue's dead letters, the oldest first.
func (q *Queue) Dead(ctx context.Context) ([]DeadMessage, error) {
	all, err := q.rdb.HGetAll(ctx, q.keys.Dead).Result()
	if err != nil {
		return nil, q.fail("read the dead letters of", err)
	}
	dead, err := q.letters(ctx, all)
	if err != nil {
		return nil, q.fail("read the dead letters of", err)
	}
	return dead, nil
}

// letters reads dead letters, the oldest first.
func (q *Queue) letters(ctx context.Context, texts map[string]string) ([]DeadMessage, error) {
	dead := make([]DeadMessage, 0, len(texts))
	for some := range slices.Chunk(slices.Collect(maps.Keys(texts)), readAtOnce) {
		raws, known, err := q.envelopes(ctx, some)
		if err != nil {
			return nil, err
		}
		for i, key := range some {
			raw, there := raws[i].(string)
			beyond, _ := known[i].(string)
			dead = append(dead, readLetter(key, texts[key], raw, there, beyond))
		}
	}
	slices.SortFunc(dead, func(a, b DeadMessage) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.key, b.key))
	})
	return dead, nil
}

// deathsAtOnce bounds what Deaths reads.
const deathsAtOnce = 100

// Deaths are the dead letters that have died after a time, the oldest first, and the
// time to ask from next. There may be more than it answers, some 100.
func (q *Queue) Deaths(ctx context.Context, after time.Time) (dead []DeadMessage, until time.Time, err error) {
	answer, err := q.scripts.deaths.Run(ctx, q.rdb, q.all(), after.UnixMilli(), deathsAtOnce).StringSlice()
	if err != nil {
		return nil, after, q.fail("read the dead letters of", err)
	}
	texts := map[string]string{}
	for pair := range slices.Chunk(answer[1:], 2) {
		if pair[1] != "" {
			texts[pair[0]] = pair[1]
		}
	}
	if dead, err = q.letters(ctx, texts); err != nil {
		return nil, after, q.fail("read the dead letters of", err)
	}
	ms, err := strconv.ParseInt(answer[0], 10, 64)
	if err != nil {
		return nil, after, q.fail("read the dead letters of", err)
	}
	return dead, time.UnixMilli(ms), nil
}

func readLetter(key, text, raw string, there bool, known string) DeadMessage {
	var l letter
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		l.Reason = "its dead letter is damaged: " + err.Error()
	}
	d := DeadMessage{ID: key, Reason: l.Reason, Worker: l.Worker, At: time.UnixMilli(l.At), Attempts: l.Attempts, Raw: []byte(raw), key: key}
	switch {
	case there:
	case l.Raw != nil:
		d.Raw = []byte(*l.Raw)
	default:
		d.Raw = l.Raw64
	}
	m, err := Decode(d.Raw)
	if err == nil {
		d.ID = m.ID
	} else if rest, ok := strings.CutPrefix(key, "\xff"); ok { // the key of what has no id
		name, _, _ := strings.Cut(rest, " ")
		d.ID = "malformed-" + name
	}
	m = Message{}
	m.learn(known)
	d.History = m.History
	return d
}

// Bury makes a dead letter of a message that this worker has in hand. One that it
// does not have, or no longer, is no error.
func (q *Queue) Bury(ctx context.Context, m Message, why error) error {
	if err := q.bury(ctx, why, 1, q.keysOf(m.ID)...); err != nil {
		return q.fail("bury "+m.ID+" of", err)
	}
	q.release(m.ID)
	return nil
}

// quarantine makes a dead letter of what is no message.
func (q *Queue) quarantine(ctx context.Context, key string, why error) error {
	return q.bury(ctx, why, 0, key)
}

func (q *Queue) bury(ctx context.Context, why error, delivered int, keys ...any) error {
	args := append([]any{q.cfg.Worker, why.Error(), delivered}, keys...)
	if err := q.scripts.bury.Run(ctx, q.rdb, q.all(), args...).Err(); err != nil {
		return fmt.Errorf("put a dead letter aside: %w", err)
	}
	return nil
}

// Replay puts dead letters back at the tail, with their ids and histories, as if they
// had never been delivered; without ids it puts back all. It answers how many, and
// ErrNoLetter where an id has no dead letter: then none is put back.
func (q *Queue) Replay(ctx context.Context, ids ...string) (int, error) {
	n, err := q.settle(ctx, ids, func(keys []any) (int, error) {
		return q.scripts.replay.Run(ctx, q.rdb, q.all(), append([]any{nonce()}, keys...)...).Int()
	})
	if err != nil {
		return n, q.fail("replay in", err)
	}
	return n, nil
}

// Drop throws dead letters away; without ids it throws away all. It answers how many,
// and ErrNoLetter where an id has no dead letter: then none is thrown away.
func (q *Queue) Drop(ctx context.Context, ids ...string) (int, error) {
	n, err := q.settle(ctx, ids, func(keys []any) (int, error) {
		return q.scripts.drop.Run(ctx, q.rdb, q.all(), keys...).Int()
	})
	if err != nil {
		return n, q.fail("drop in", err)
	}
	return n, nil
}

// settle does something to the dead letters of some ids, of all where there are none.
func (q *Queue) settle(ctx context.Context, ids []string, do func(keys []any) (int, error)) (total int, err error) {
	dead, err := q.Dead(ctx)
	if err != nil {
		return 0, err
	}
	var keys []any
	for _, d := range dead {
		if len(ids) == 0 || slices.Contains(ids, d.ID) {
			keys = append(keys, d.key)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(dead, func(d DeadMessage) bool { return d.ID == id }) {
			return 0, fmt.Errorf("%w: %s", ErrNoLetter, id)
		}
	}
	for some := range slices.Chunk(keys, ackAtOnce) {
		n, err := do(some)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
