package inbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/reliable"
)

// ErrName says that a name cannot be that of an agent.
var ErrName = errors.New("not a name of an agent")

var nameRE = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// all is more than an inbox ever holds.
const all = 1 << 30

// namesKey is the set of the names that have an inbox.
const namesKey = "{inbox}:names"

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

// body is what the queue carries.
type body struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Message  string `json:"message"`
	Priority string `json:"priority"`
	Type     string `json:"type"`
}

// Inbox puts messages into inboxes and looks at them.
type Inbox struct {
	rdb redis.UniversalClient
}

// New makes an Inbox on a client that the caller keeps and closes.
func New(rdb redis.UniversalClient) (*Inbox, error) {
	if rdb == nil {
		return nil, errors.New("inbox: no Redis client")
	}
	return &Inbox{rdb: rdb}, nil
}

// Name folds the name of an agent, as it addresses an inbox.
func Name(name string) (string, error) {
	folded := strings.ToLower(strings.TrimSpace(name))
	if !nameRE.MatchString(folded) {
		return "", fmt.Errorf("%q is %w: a name is 1 to 63 of a-z 0-9 . _ - and begins with a letter or digit", name, ErrName)
	}
	return folded, nil
}

// queue opens the queue of a name; opening takes no part in it.
func (b *Inbox) queue(name string) (*reliable.Queue, string, error) {
	folded, err := Name(name)
	if err != nil {
		return nil, "", err
	}
	q, err := reliable.New(b.rdb, reliable.Config{Name: "inbox:" + folded})
	return q, folded, err
}

// Put puts a message into the inbox of to. The same id within ten minutes is
// one message.
func (b *Inbox) Put(ctx context.Context, id, from, to, text, priority string) error {
	q, name, err := b.queue(to)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(body{From: from, To: name, Message: text, Priority: priority, Type: "direct"})
	if err != nil {
		return fmt.Errorf("inbox of %s: %w", name, err)
	}
	if err := b.rdb.SAdd(ctx, namesKey, name).Err(); err != nil { // before the message, so that no message is unheard of
		return fmt.Errorf("inbox of %s: %w", name, err)
	}
	if _, err := q.Push(ctx, reliable.Message{ID: id, Body: raw}); err != nil {
		return fmt.Errorf("inbox of %s: %w", name, err)
	}
	return nil
}

// Peek shows what waits for a name, in the order of delivery; limit 0 shows all.
// It takes nothing.
func (b *Inbox) Peek(ctx context.Context, name string, limit int) ([]Message, error) {
	q, folded, err := b.queue(name)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = all
	}
	waiting, err := q.Peek(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("inbox of %s: %w", folded, err)
	}
	out := make([]Message, 0, len(waiting))
	for _, m := range waiting {
		out = append(out, message(folded, m))
	}
	return out, nil
}

// message reads a body; one that is none is shown as it is.
func message(name string, m reliable.Message) Message {
	out := Message{
		ID: m.ID, From: "unknown", To: name, Priority: "normal", Type: "direct",
		Timestamp: m.At.UTC(), Attempt: m.Attempt + 1, State: "waiting", History: []Try{},
	}
	var b body
	if err := json.Unmarshal(m.Body, &b); err != nil || b.Message == "" {
		out.Message = string(m.Body)
		return out
	}
	out.Message = b.Message
	out.From, out.Priority, out.Type = cmp.Or(b.From, out.From), cmp.Or(b.Priority, out.Priority), cmp.Or(b.Type, out.Type)
	return out
}

// Depths counts what waits in each inbox that ever had a message.
func (b *Inbox) Depths(ctx context.Context) (map[string]int64, error) {
	names, err := b.rdb.SMembers(ctx, namesKey).Result()
	if err != nil {
		return nil, fmt.Errorf("inboxes: %w", err)
	}
	depths := make(map[string]int64, len(names))
	for _, name := range names {
		q, _, err := b.queue(name)
		if err != nil {
			continue
		}
		d, err := q.Depth(ctx)
		if err != nil {
			return nil, fmt.Errorf("inbox of %s: %w", name, err)
		}
		depths[name] = d.Waiting
	}
	return depths, nil
}
