package inbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prpflow/prpflow/bus"
	"github.com/prpflow/prpflow/reliable"
)

// sameFor is how long equal bytes on a channel are one message. Every process that
// listens hears each message, and the first one puts it into the inbox.
const sameFor = time.Minute

// Hear puts a message of the bus into the inbox of the agent whose channel it came
// on. What is no message becomes a dead letter there. Broadcasts land in no inbox.
func (b *Inbox) Hear(ctx context.Context, h bus.Heard) error {
	channel, ok := bus.Agent(h.Channel)
	if !ok {
		return nil
	}
	name, err := Name(channel)
	if err != nil {
		b.cfg.Log.Warn("a message on the bus has no inbox to go to", "channel", h.Channel, "err", err)
		return nil
	}
	m, err := bus.Decode(h.Payload)
	if err != nil {
		_, err = b.push(ctx, name, malformed(h, err))
		return b.unlessFull(name, err)
	}
	d := Draft{ID: NewID(), From: m.From, To: name, Text: m.Text, Priority: m.Priority, Type: m.Type, Timestamp: m.Timestamp}
	envelope, err := d.envelope()
	if err != nil {
		return wrap(name, err)
	}
	if m.ID != "" { // our own publication: the message is in the inbox
		envelope.ID, envelope.Once = m.ID, m.ID
	} else {
		envelope.Once = fingerprint(h)
	}
	envelope.Window = sameFor
	_, err = b.push(ctx, name, envelope)
	return b.unlessFull(name, err)
}

// unlessFull lets a message go that an inbox has no room for: trying again would
// hold up all others.
func (b *Inbox) unlessFull(name string, err error) error {
	if errors.Is(err, reliable.ErrFull) {
		b.cfg.Log.Error("a message on the bus is lost: the inbox is full", "inbox", name)
		return nil
	}
	return err
}

// fingerprint is what two processes that have heard the same message agree on.
func fingerprint(h bus.Heard) string {
	sum := sha256.New()
	sum.Write([]byte(h.Channel))
	sum.Write([]byte{0})
	sum.Write(h.Payload)
	return "bus-" + hex.EncodeToString(sum.Sum(nil))
}

// malformed is a dead letter with the payload as its text.
func malformed(h bus.Heard, why error) reliable.Message {
	text := h.Payload
	if !utf8.Valid(text) {
		text = []byte(strings.ToValidUTF8(string(text), string(utf8.RuneError)))
	}
	reason := why.Error()
	if inner := errors.Unwrap(why); inner != nil {
		reason = inner.Error()
	}
	return reliable.Message{ID: NewID(), Body: text, Once: fingerprint(h), Window: sameFor, Dead: reason}
}
