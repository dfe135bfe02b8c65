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

// quarantine moves an element of this worker's list to the dead letters.
func (q *Queue) quarantine(ctx context.Context, raw string, why error) error {
	l := letter{Reason: why.Error(), Worker: q.cfg.Worker}
	if utf8.ValidString(raw) {
		l.Raw = &raw
	} else {
		l.Raw64 = []byte(raw)
	}
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("write a dead letter: %w", err)
	}
	keys := []string{q.taken, q.keys.Dead}
	if err := q.scripts.quarantine.Run(ctx, q.rdb, keys, raw, "malformed-"+nonce(), text).Err(); err != nil {
		return fmt.Errorf("put a dead letter aside: %w", err)
	}
	return nil
}
