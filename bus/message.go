package bus

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// The types of a message.
const (
	TypeDirect       = "direct"
	TypeBroadcast    = "broadcast"
	TypeAgentToAgent = "agent_to_agent"
)

// The defaults of missing fields.
const (
	unknownFrom    = "unknown"
	normalPriority = "normal"
)

// Message is what the bus carries.
type Message struct {
	// Timestamp is when it was sent; zero if the sender gave no valid time.
	Timestamp time.Time
	// From is the sender; "unknown" if missing.
	From string
	// To is the receiver as the sender wrote it; only the channel decides who gets it.
	To string
	// Text is the message itself. Any UTF-8.
	Text string
	// Priority is "normal" if missing.
	Priority string
	// Type is TypeDirect if missing.
	Type string
	// ID is the id under which prpflow also queued the message; empty in a message
	// from a legacy client.
	ID string
}

// ErrMalformed is wrapped by the errors of Encode and Decode.
var ErrMalformed = errors.New("not a message of the bus")

// timeLayout can be read by datetime.fromisoformat of every Python 3.
const timeLayout = "2006-01-02T15:04:05.000000-07:00"

// Encode writes a message as one line of JSON, as Python's json.dumps does:
//
//	{"timestamp": "2025-07-18T10:00:00.000000+00:00", "from": "pm", "to": "dev-1", "message": "text", "priority": "normal", "type": "direct", "prpflow_id": "m1"}
//
// The last field is present only if ID is set.
func Encode(m Message) ([]byte, error) {
	timestamp := ""
	if !m.Timestamp.IsZero() {
		timestamp = m.Timestamp.UTC().Format(timeLayout)
	}
	fields := [][2]string{
		{"timestamp", timestamp},
		{"from", cmp.Or(m.From, unknownFrom)},
		{"to", m.To},
		{"message", m.Text},
		{"priority", cmp.Or(m.Priority, normalPriority)},
		{"type", cmp.Or(m.Type, TypeDirect)},
		{"prpflow_id", m.ID},
	}
	if m.ID == "" {
		fields = fields[:len(fields)-1]
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for i, f := range fields {
		if !utf8.ValidString(f[1]) {
			return nil, fmt.Errorf("bus: encode: %w: the field %s is not UTF-8", ErrMalformed, f[0])
		}
		out.WriteString(map[bool]string{true: "{", false: ", "}[i == 0])
		fmt.Fprintf(&out, "%q: ", f[0])
		if err := enc.Encode(f[1]); err != nil {
			return nil, fmt.Errorf("bus: encode: %w", err)
		}
		out.Truncate(out.Len() - 1) // the newline of Encode
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// Decode reads a message: any JSON object whose "message" is a string. Fields that
// are missing or not strings get their defaults, unknown fields are ignored.
func Decode(payload []byte) (Message, error) {
	m, err := decode(payload)
	if err != nil {
		return Message{}, fmt.Errorf("bus: decode: %w: %w", ErrMalformed, err)
	}
	return m, nil
}

func decode(payload []byte) (Message, error) {
	if !utf8.Valid(payload) {
		return Message{}, errors.New("it is not UTF-8")
	}
	// Into a map, since encoding/json would accept "Message" for "message".
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(payload, &fields); err != nil {
		return Message{}, err
	}
	if fields == nil {
		return Message{}, errors.New("it is not a JSON object")
	}
	text, ok := textOf(fields["message"])
	if !ok {
		return Message{}, errors.New(`it has no text in the field "message"`)
	}
	field := func(name string) string { s, _ := textOf(fields[name]); return s }
	return Message{
		Timestamp: parseTime(field("timestamp")),
		From:      cmp.Or(field("from"), unknownFrom),
		To:        field("to"),
		Text:      text,
		Priority:  cmp.Or(field("priority"), normalPriority),
		Type:      cmp.Or(field("type"), TypeDirect),
		ID:        field("prpflow_id"),
	}, nil
}

// textOf reads a field; ok is false if it is not a string.
func textOf(field json.RawMessage) (text string, ok bool) {
	var s *string
	if len(field) == 0 || json.Unmarshal(field, &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

// parseTime reads ISO 8601 as Python writes it, in UTC if it has no zone. It returns
// the zero time for anything else.
func parseTime(text string) time.Time {
	text = strings.Replace(text, " ", "T", 1)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
