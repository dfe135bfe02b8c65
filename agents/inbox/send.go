package inbox

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/prpflow/prpflow/bus"
	"github.com/prpflow/prpflow/reliable"
)

// MaxText is how many bytes a message may have.
const MaxText = 4 << 20

// ErrTooLong says that a text has more bytes than MaxText.
var ErrTooLong = fmt.Errorf("a message may have at most %d bytes: put the text into a file and send its path", MaxText)

// Draft is a message that is to be sent. Its JSON is what a spool keeps.
type Draft struct {
	// ID says which message it is: the same within ten minutes, or Window, is one
	// message. Send makes one up where it is empty.
	ID string `json:"id"`
	// From is the sender, as it likes to be called.
	From string `json:"from"`
	// To is the agent whose inbox it goes to.
	To   string `json:"to"`
	Text string `json:"text"`
	// Priority is a label. Empty: normal.
	Priority string `json:"priority,omitempty"`
	// Type is one of the bus. Empty: direct.
	Type string `json:"type,omitempty"`
	// Timestamp is when it was written. Zero: when it is pushed.
	Timestamp time.Time `json:"timestamp,omitzero"`
	// What the queue does with it: see reliable.Message.
	TTL         time.Duration `json:"ttl,omitempty"`
	Delay       time.Duration `json:"delay,omitempty"`
	Backoff     time.Duration `json:"backoff,omitempty"`
	MaxAttempts int           `json:"max_attempts,omitempty"`
	Window      time.Duration `json:"window,omitempty"`
	Dead        string        `json:"dead,omitempty"`
}

// NewID makes an id up.
func NewID() string { return strings.ToLower(rand.Text()[:16]) }

// madeUp is how long an id that Send made up is remembered: longer than Redis is
// likely to be away, for a message whose answer was lost is sent again from a spool.
const madeUp = 24 * time.Hour

// Fill completes a draft and refuses what cannot be sent.
func (d *Draft) Fill() error {
	name, err := Name(d.To)
	if err != nil {
		return err
	}
	if len(d.Text) > MaxText {
		return ErrTooLong
	}
	if d.ID == "" {
		d.ID = NewID()
		d.Window = cmp.Or(d.Window, madeUp)
	}
	d.To, d.From, d.Type, d.Priority = name, cmp.Or(d.From, "unknown"), cmp.Or(d.Type, bus.TypeDirect), cmp.Or(d.Priority, "normal")
	return nil
}

// Send puts a message into an inbox, and tells whoever listens on the bus. It answers
// the message's id, and whether it is new.
func (b *Inbox) Send(ctx context.Context, d Draft) (id string, fresh bool, err error) {
	if err := d.Fill(); err != nil {
		return "", false, err
	}
	m, err := d.envelope()
	if err != nil {
		return "", false, wrap(d.To, err)
	}
	fresh, err = b.push(ctx, d.To, m)
	if err != nil {
		return "", false, err
	}
	if fresh && d.Dead == "" {
		b.publish(ctx, d)
	}
	return d.ID, fresh, nil
}

func (d Draft) envelope() (reliable.Message, error) {
	in := body{From: d.From, To: d.To, Message: &d.Text, Priority: d.Priority, Type: d.Type}
	if !d.Timestamp.IsZero() {
		in.Timestamp = &d.Timestamp
	}
	raw, err := json.Marshal(in)
	return reliable.Message{
		ID: d.ID, Body: raw, TTL: d.TTL, Delay: d.Delay, Backoff: d.Backoff, MaxAttempts: d.MaxAttempts, Window: d.Window, Dead: d.Dead,
	}, err
}

// push pushes into the inbox of a folded name.
func (b *Inbox) push(ctx context.Context, name string, m reliable.Message) (fresh bool, err error) {
	q, _, err := b.queue(name)
	if err != nil {
		return false, err
	}
	if err := b.note(ctx, name); err != nil {
		return false, wrap(name, err)
	}
	n, err := q.Push(ctx, m)
	if err != nil {
		return false, wrap(name, err)
	}
	return n > 0, nil
}

// noted is how long a name that was noted is believed to be.
const noted = time.Minute

// note makes a name one that has an inbox: before its message, so that no message is
// unheard of.
func (b *Inbox) note(ctx context.Context, name string) error {
	b.mu.Lock()
	known := time.Since(b.named[name]) < noted
	b.mu.Unlock()
	if known {
		return nil
	}
	if err := b.rdb.SAdd(ctx, namesKey, name).Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.named[name] = time.Now()
	return nil
}

// publish tells who listens on the bus. Nobody may listen, and the message is in the
// inbox: a failure is no more than noted.
func (b *Inbox) publish(ctx context.Context, d Draft) {
	err := bus.Publish(ctx, b.rdb, d.To, bus.Message{
		Timestamp: d.Timestamp, From: d.From, To: d.To, Text: d.Text, Priority: d.Priority, Type: d.Type, ID: d.ID,
	})
	if err != nil {
		b.cfg.Log.Debug("not told on the bus", "to", d.To, "err", err)
	}
}

// Broadcast tells everybody who listens on the bus now; it lands in no inbox.
func (b *Inbox) Broadcast(ctx context.Context, from, text, priority string) error {
	if len(text) > MaxText {
		return ErrTooLong
	}
	return bus.PublishBroadcast(ctx, b.rdb, bus.Message{From: from, Text: text, Priority: priority})
}

// Put puts a message of the engine into the inbox of to. The same id within ten
// minutes is one message.
func (b *Inbox) Put(ctx context.Context, id, from, to, text, priority string) error {
	_, _, err := b.Send(ctx, Draft{ID: id, From: from, To: to, Text: text, Priority: priority})
	return err
}
