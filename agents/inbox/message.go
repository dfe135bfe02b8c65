package inbox

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/prpflow/prpflow/bus"
	"github.com/prpflow/prpflow/reliable"
)

// Message is a message as people and programs see it.
type Message struct {
	ID        string    `json:"id"`
	From      string    `json:"from"`
	To        string    `json:"to"`
	Message   string    `json:"message"`
	Priority  string    `json:"priority"`
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Attempt   int       `json:"attempt"` // deliveries; 1 before the first
	State     string    `json:"state"`
	History   []Try     `json:"history"`
}

// Try is one delivery that did not succeed.
type Try struct {
	Attempt int       `json:"attempt"`
	At      time.Time `json:"at"`
	Worker  string    `json:"worker"`
	Reason  string    `json:"reason"`
}

// Dead is a message that was given up.
type Dead struct {
	Message
	Reason string    `json:"reason"`
	Worker string    `json:"worker"`
	At     time.Time `json:"at"` // when it died
}

// Why a message is a dead letter, in one word.
const (
	CauseExpired   = "expired"
	CauseMalformed = "malformed" // it was never one
	CauseFailed    = "failed"
)

// Cause is why a message is a dead letter, in one word.
func (d Dead) Cause() string {
	switch {
	case strings.Contains(d.Reason, "it has expired"):
		return CauseExpired
	case d.Attempt == 0:
		return CauseMalformed
	}
	return CauseFailed
}

// body is what the queue carries.
type body struct {
	From      string     `json:"from"`
	To        string     `json:"to"`
	Message   *string    `json:"message"` // what has none is no body
	Priority  string     `json:"priority"`
	Type      string     `json:"type"`
	Timestamp *time.Time `json:"timestamp,omitempty"` // where it is another than that of the push
}

// message reads a body; one that is none is shown as it is.
func message(name string, m reliable.Message, state reliable.Place) Message {
	out := Message{
		ID: m.ID, From: "unknown", To: name, Priority: "normal", Type: bus.TypeDirect,
		Timestamp: m.At.UTC(), Attempt: m.Attempt + 1, State: string(state), History: []Try{},
	}
	for _, t := range m.History {
		out.History = append(out.History, Try{Attempt: t.Attempt, At: t.At.UTC(), Worker: t.Worker, Reason: t.Reason})
	}
	var b body
	if err := json.Unmarshal(m.Body, &b); err != nil || b.Message == nil {
		out.Message = string(m.Body)
		return out
	}
	out.Message = *b.Message
	out.From, out.Priority, out.Type = cmp.Or(b.From, out.From), cmp.Or(b.Priority, out.Priority), cmp.Or(b.Type, out.Type)
	if b.Timestamp != nil {
		out.Timestamp = b.Timestamp.UTC()
	}
	return out
}

// dead reads a dead letter.
func dead(name string, d reliable.DeadMessage) Dead {
	m, err := reliable.Decode(d.Raw)
	if err != nil {
		m = reliable.Message{Body: d.Raw}
	}
	m.ID, m.History = d.ID, d.History
	out := Dead{Message: message(name, m, reliable.Dead), Reason: d.Reason, Worker: d.Worker, At: d.At.UTC()}
	out.Attempt = d.Attempts
	return out
}
