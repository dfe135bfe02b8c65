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
	// ID says which message it is: pushing it twice within Config.Dedup is one
	// message. Push makes one up where it is empty.
	ID string
	// Attempt counts how often it came back from a worker that died; 0 at first.
	Attempt int
	// At is when it was pushed, in milliseconds. Where it is zero, Push takes
	// Redis' clock.
	At time.Time
	// Body is any bytes.
	Body []byte
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
