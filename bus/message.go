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

// What stands for a field that a message does not have.
const (
	unknownFrom    = "unknown"
	normalPriority = "normal"
)

// Message is what the bus carries.
type Message struct {
	// Timestamp is when it was sent, zero where the sender did not say.
	Timestamp time.Time
	// From is the sender, "unknown" where it is not said.
	From string
	// To is what the sender calls the receiver. It is the channel that decides.
	To string
	// Text is the message itself. Any UTF-8.
	Text string
	// Priority is "normal" where it is not said.
	Priority string
	// Type is TypeDirect where it is not said.
	Type string
	// ID is the id under which this program sent the message by other means as
	// well; empty for a message of an old client.
	ID string
}

// ErrMalformed is wrapped by what Encode and Decode refuse.
var ErrMalformed = errors.New("not a message of the bus")

// timeLayout is what every Python's datetime.fromisoformat reads.
const timeLayout = "2006-01-02T15:04:05.000000-07:00"

// Encode writes a message as one line of JSON, as Python's json.dumps does:
//
//	{"timestamp": "2025-07-18T10:00:00.000000+00:00", "from": "pm", "to": "dev-1", "message": "text", "priority": "normal", "type": "direct", "prpflow_id": "m1"}
//
// The last field is there only where ID is set.
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

// Decode reads a message: any JSON object whose "message" is a string. Other
// fields that are missing or no strings have their defaults, fields that it does
// not know are ignored.
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
	// By way of a map, for encoding/json takes "Message" for "message".
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

// textOf reads a field that is a string.
func textOf(field json.RawMessage) (text string, ok bool) {
	var s *string
	if len(field) == 0 || json.Unmarshal(field, &s) != nil || s == nil {
		return "", false
	}
	return *s, true
}

// parseTime reads the ISO 8601 that Python writes. Without a zone it is UTC; what
// it cannot read is no time.
func parseTime(text string) time.Time {
	text = strings.Replace(text, " ", "T", 1)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
