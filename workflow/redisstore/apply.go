package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/prpflow/prpflow/reliable"
	"github.com/prpflow/prpflow/workflow"
)

// lists is what a change carries in numbers that vary.
type lists struct {
	History []string `json:"h"`
	Outbox  []string `json:"o"`
	Bury    []string `json:"b"`
	Raise   []string `json:"r"`
	Events  []string `json:"e"`
}

// Apply saves a change whole, or nothing of it.
func (s *Store) Apply(ctx context.Context, c workflow.Change) (workflow.Record, error) {
	id := c.Record.ID
	l, data, err := encode(c)
	if err != nil {
		return workflow.Record{}, fmt.Errorf("redisstore: apply %s: %w", id, err)
	}
	p := s.partition(id)
	outbox := s.keys[p].Pending
	if s.cfg.Worker != "" {
		if outbox, err = s.keys[p].Taken(s.cfg.Worker); err != nil {
			return workflow.Record{}, fmt.Errorf("redisstore: apply %s: %w", id, err)
		}
		s.expect(p, c.Outbox)
	}
	keys := []string{
		s.recordKey(id), s.historyKey(id), dueKey(p), indexKey(p), statesKey(p), eventsKey(p), deadKey(p),
		outbox, s.keys[p].Takers, heldKey(p, c.Hold), heldKey(p, c.Release), s.requestKey(id, c.Request),
	}
	answer, err := s.apply.Run(ctx, s.rdb, keys,
		c.Token, c.SeenVersion, c.SeenState, id, c.Record.State, data, millis(c.LookIn), s.cfg.Worker,
		millis(s.cfg.Lease), eventOf(c), millis(requestsKept), flag(c.Hold), flag(c.Release), l).Slice()
	if err != nil {
		return workflow.Record{}, failure("apply", id, err)
	}
	rec := c.Record.Clone()
	if err := s.applied(&rec, answer); err != nil {
		s.forget(p, c.Outbox)
		return rec, fmt.Errorf("redisstore: apply %s: %w", id, err)
	}
	return rec, nil
}

func encode(c workflow.Change) (l, data string, err error) {
	out := lists{[]string{}, []string{}, []string{}, append([]string{}, c.Raise...), []string{}}
	for _, h := range c.History {
		h.At = time.Time{}
		b, err := json.Marshal(h)
		if err != nil {
			return "", "", err
		}
		out.History = append(out.History, string(b))
		out.Events = append(out.Events, h.Event)
	}
	for _, e := range c.Outbox {
		b, err := envelope(e)
		if err != nil {
			return "", "", err
		}
		out.Outbox = append(out.Outbox, string(b))
	}
	for _, d := range c.Bury {
		b, err := json.Marshal(d)
		if err != nil {
			return "", "", err
		}
		out.Bury = append(out.Bury, d.ID, string(b))
	}
	b, err := json.Marshal(out)
	if err != nil {
		return "", "", err
	}
	rec, err := json.Marshal(c.Record)
	return string(b), string(rec), err
}

// envelope is an outbox entry as the queue carries it.
func envelope(e workflow.OutboxEntry) ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return reliable.Encode(reliable.Message{ID: e.ID, At: time.Now(), Body: body}) // the time is for the lag alone
}

// applied reads the script's answer into the record.
func (s *Store) applied(rec *workflow.Record, answer []any) error {
	code, _ := answer[0].(int64)
	switch code {
	case 1:
	case -1:
		return workflow.ErrChanged
	case -2:
		return workflow.ErrExists
	case -3:
		return workflow.ErrNotFound
	}
	if code != 1 || len(answer) != 4 {
		return fmt.Errorf("unexpected answer %v", answer)
	}
	stamps := make([]int64, 3)
	for i := range stamps {
		text, _ := answer[i+1].(string)
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("unexpected answer %v: %w", answer, err)
		}
		stamps[i] = n
	}
	rec.Version, rec.UpdatedAt, rec.CreatedAt = stamps[0], micros(stamps[1]), micros(stamps[2])
	return nil
}

// record reads the fields v, s, a, c, d of a record's hash.
func record(fields []any) (workflow.Record, error) {
	var rec workflow.Record
	if len(fields) != 5 || fields[0] == nil {
		return rec, nil
	}
	text := make([]string, 5)
	for i, f := range fields {
		text[i], _ = f.(string)
	}
	if err := json.Unmarshal([]byte(text[4]), &rec); err != nil {
		return rec, fmt.Errorf("the record is damaged: %w", err)
	}
	version, verr := strconv.ParseInt(text[0], 10, 64)
	at, aerr := strconv.ParseInt(text[2], 10, 64)
	created, cerr := strconv.ParseInt(text[3], 10, 64)
	if err := errors.Join(verr, aerr, cerr); err != nil {
		return rec, fmt.Errorf("the record is damaged: %w", err)
	}
	rec.Version, rec.State, rec.UpdatedAt, rec.CreatedAt = version, text[1], micros(at), micros(created)
	return rec, nil
}

func micros(n int64) time.Time { return time.UnixMicro(n).UTC() }

func eventOf(c workflow.Change) string {
	if c.Request == "" {
		return ""
	}
	return c.Event
}

func flag(text string) string {
	if text == "" {
		return "0"
	}
	return "1"
}
