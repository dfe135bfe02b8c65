package reliable

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Message is what a queue carries.
type Message struct {
	// ID says which message it is: pushing it twice within Window is one message.
	// Push makes one up where it is empty.
	ID string
	// Body is any bytes.
	Body []byte
	// At is when it was pushed, in milliseconds. Where it is zero, Push takes
	// Redis' clock.
	At time.Time
	// Attempt counts the deliveries that failed, by Nack or by the death of a
	// worker; 0 at first. Push ignores it.
	Attempt int
	// History tells of those deliveries, the last 20. Push ignores it.
	History []Try

	// What follows is for Push; a message that was received does not have it.

	// Delay is how long nobody is given the message. Zero: not at all.
	Delay time.Duration
	// TTL is after what time a message that nobody has taken becomes a dead letter.
	// Zero: never.
	TTL time.Duration
	// Once replaces the ID as what a second push is recognized by. Empty: the ID.
	Once string
	// Window is how long a second push is recognized. Zero: Config.Dedup, and a
	// minute for an ID that Push makes up.
	Window time.Duration
	// Dead is why the message becomes a dead letter at once. Empty: it does not.
	Dead string

	// MaxAttempts is how many deliveries may fail. The last makes the message a
	// dead letter. Zero: Config.MaxAttempts.
	MaxAttempts int
	// Backoff is Config.Backoff of this message. Zero: that of the queue.
	Backoff time.Duration
}

// Try is a delivery that failed.
type Try struct {
	Attempt int       // 1 for the first
	At      time.Time // when it failed, by Redis' clock
	Worker  string
	Reason  string
}

// known is what the queue knows of a message beyond its envelope, which never changes.
type known struct {
	Attempts int     `json:"n,omitempty"`
	Max      int     `json:"max,omitempty"`
	Backoff  int64   `json:"back,omitempty"` // ms
	History  []tried `json:"h,omitempty"`
}

type tried struct {
	Attempt int    `json:"attempt"`
	At      int64  `json:"at"` // ms since 1970
	Worker  string `json:"worker"`
	Reason  string `json:"reason"`
}

// learn adds what the queue knows.
func (m *Message) learn(text string) {
	var k known
	if text == "" || json.Unmarshal([]byte(text), &k) != nil {
		return
	}
	m.Attempt += k.Attempts
	m.MaxAttempts, m.Backoff = k.Max, time.Duration(k.Backoff)*time.Millisecond
	for _, t := range k.History {
		m.History = append(m.History, Try{Attempt: t.Attempt, At: time.UnixMilli(t.At), Worker: t.Worker, Reason: t.Reason})
	}
}

// ErrMalformed is wrapped by what Encode and Decode refuse.
var ErrMalformed = errors.New("not a message")

// envelope is the wire form. Its fields are in the order that stamping relies on:
// see lua/push.lua. A body that is no UTF-8 travels as body64.
type envelope struct {
	ID      string  `json:"id"`
	Attempt int     `json:"attempt"`
	At      int64   `json:"at"` // ms since 1970; 0 is unknown
	Body    *string `json:"body,omitempty"`
	Body64  []byte  `json:"body64,omitempty"`
}

// Encode writes the envelope of a message, which must have an id:
//
//	{"id":"m1","attempt":0,"at":1700000000000,"body":"text"}
func Encode(m Message) ([]byte, error) {
	if err := checkID(m.ID); err != nil {
		return nil, fmt.Errorf("reliable: encode: %w: %w", ErrMalformed, err)
	}
	e := envelope{ID: m.ID, Attempt: m.Attempt}
	if !m.At.IsZero() {
		e.At = m.At.UnixMilli()
	}
	if utf8.Valid(m.Body) {
		text := string(m.Body)
		e.Body = &text
	} else {
		e.Body64 = m.Body
	}
	raw, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("reliable: encode %s: %w", m.ID, err)
	}
	return raw, nil
}

// Decode reads an envelope. It is as strict about names and text as the scripts'
// own reader, so that both see the same id; fields that it does not know are
// ignored.
func Decode(raw []byte) (Message, error) {
	if m, ok := decodePlain(string(raw)); ok {
		return m, nil
	}
	m, err := decode(raw)
	if err != nil {
		return Message{}, fmt.Errorf("reliable: decode: %w: %w", ErrMalformed, err)
	}
	return m, nil
}

func decode(raw []byte) (Message, error) {
	if !utf8.Valid(raw) {
		return Message{}, errors.New("it is no UTF-8")
	}
	// By way of a map, for encoding/json takes "ID" for "id".
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return Message{}, err
	}
	var e envelope
	for name, into := range map[string]any{
		"id": &e.ID, "attempt": &e.Attempt, "at": &e.At, "body": &e.Body, "body64": &e.Body64,
	} {
		if field, ok := fields[name]; ok {
			if err := json.Unmarshal(field, into); err != nil {
				return Message{}, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if err := checkID(e.ID); err != nil {
		return Message{}, err
	}
	m := Message{ID: e.ID, Attempt: e.Attempt, Body: e.Body64}
	if e.At != 0 {
		m.At = time.UnixMilli(e.At)
	}
	if e.Body != nil {
		m.Body = []byte(*e.Body)
	}
	return m, nil
}

// checkID refuses ids that JSON cannot carry unchanged.
func checkID(id string) error {
	if id == "" {
		return errors.New("it has no id")
	}
	if !utf8.ValidString(id) || strings.ContainsRune(id, utf8.RuneError) {
		return fmt.Errorf("its id %q is no UTF-8", id)
	}
	return nil
}
