package inbox

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/bus"
	"github.com/prpflow/prpflow/reliable"
)

// Postmaster is who tells senders what became of their messages.
const Postmaster = "postmaster"

// toldKey is the hash that says up to when the deaths in an inbox have been told.
const toldKey = "{inbox}:told"

const (
	// toldFor is how long a bounce is remembered, so that two processes tell of a
	// death once.
	toldFor = 24 * time.Hour
	// quoted is how much of a message its bounce quotes, in bytes.
	quoted = 200
)

// bounce tells the senders of messages that have died since the last time. What was
// told is noted after it was told; telling twice is one message.
func (b *Inbox) bounce(ctx context.Context, name string, q *reliable.Queue) error {
	text, err := b.rdb.HGet(ctx, toldKey, name).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	after := time.UnixMilli(0) // where none was told of yet
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		after = time.UnixMilli(ms)
	}
	letters, until, err := q.Deaths(ctx, after)
	if err != nil || len(letters) == 0 {
		return err
	}
	for _, l := range letters {
		d := dead(name, l)
		if !answers(d) {
			continue
		}
		_, _, err := b.Send(ctx, Draft{
			ID: fmt.Sprintf("bounce-%s-%d", d.ID, d.At.UnixMilli()), From: Postmaster, To: d.From, Text: verdict(d), Window: toldFor,
		})
		if err != nil && !errors.Is(err, ErrName) && !errors.Is(err, reliable.ErrFull) {
			return err
		}
	}
	return b.rdb.HSet(ctx, toldKey, name, until.UnixMilli()).Err()
}

// answers says whether a message has a sender who reads an inbox: an agent. A
// bounce is not answered with another.
func answers(d Dead) bool {
	return d.Type == bus.TypeAgentToAgent && d.From != Postmaster
}

// verdict says what became of a message.
func verdict(d Dead) string {
	text := strings.Join(strings.Fields(d.Message.Message), " ")
	if len(text) > quoted {
		text = strings.ToValidUTF8(text[:quoted], "") + "…"
	}
	return fmt.Sprintf("Your message %s to %s was not delivered: %s (deliveries: %d). It said: %s", d.ID, d.To, d.Reason, d.Attempt, text)
}
