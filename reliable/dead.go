package reliable

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
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
	// Attempts is how often it was tried, where that is known.
	Attempts int
	// Raw is the element as it lay in the queue.
	Raw []byte
}

// letter is a DeadMessage on the wire. An element that is no UTF-8 travels as raw64.
type letter struct {
	Reason   string  `json:"reason"`
	Worker   string  `json:"worker"`
	At       int64   `json:"at"` // ms since 1970, written by the script
	Attempts int     `json:"attempts"`
	Raw      *string `json:"raw,omitempty"`
	Raw64    []byte  `json:"raw64,omitempty"`
}

// Dead is the queue's dead letters, the oldest first.
func (q *Queue) Dead(ctx context.Context) ([]DeadMessage, error) {
	all, err := q.rdb.HGetAll(ctx, q.keys.Dead).Result()
	if err != nil {
		return nil, q.fail("read the dead letters of", err)
	}
	var dead []DeadMessage
	for id, text := range all {
		var l letter
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			return nil, q.fail("read the dead letters of", fmt.Errorf("%s: %w", id, err))
		}
		m := DeadMessage{ID: id, Reason: l.Reason, Worker: l.Worker, At: time.UnixMilli(l.At), Attempts: l.Attempts, Raw: l.Raw64}
		if l.Raw != nil {
			m.Raw = []byte(*l.Raw)
		}
		dead = append(dead, m)
	}
	slices.SortFunc(dead, func(a, b DeadMessage) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID))
	})
	return dead, nil
}

// Bury moves a message that this worker has in hand to the dead letters. One that
// it does not have, or no longer, is no error.
func (q *Queue) Bury(ctx context.Context, m Message, why error) error {
	l := letter{Reason: why.Error(), Worker: q.cfg.Worker, Attempts: m.Attempt}
	for i, key := range q.keysOf(m.ID) {
		id := m.ID
		if i > 0 { // a second message of this id
			id += "-" + nonce()
		}
		if err := q.bury(ctx, fmt.Sprint(key), "", id, l); err != nil {
			return q.fail("bury "+m.ID+" of", err)
		}
	}
	q.release(m.ID)
	return nil
}

// quarantine moves what is no message from this worker's hands to the dead letters.
func (q *Queue) quarantine(ctx context.Context, key, element, raw string, why error) error {
	l := letter{Reason: why.Error(), Worker: q.cfg.Worker}
	if !utf8.ValidString(raw) {
		l.Raw64 = []byte(raw)
	}
	return q.bury(ctx, key, element, "malformed-"+nonce(), l)
}

// bury has the script fill in when, and what was there unless that is no UTF-8.
func (q *Queue) bury(ctx context.Context, key, element, id string, l letter) error {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("write a dead letter: %w", err)
	}
	keys := []string{q.keys.Messages, q.taken, q.hand, q.keys.Dead}
	if err := q.scripts.bury.Run(ctx, q.rdb, keys, key, element, id, text).Err(); err != nil {
		return fmt.Errorf("put a dead letter aside: %w", err)
	}
	return nil
}
