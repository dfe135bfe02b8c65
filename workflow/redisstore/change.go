package redisstore

import (
	"encoding/json"
	"errors"
	"fmt"
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

// check refuses what could be saved and never be found or sent.
func check(c workflow.Change) error {
	switch {
	case c.Record.ID == "":
		return errors.New("the record has no id")
	case c.Token == "":
		return errors.New("a change without a token could be applied twice")
	case c.SeenVersion < 0:
		return fmt.Errorf("there is no version %d", c.SeenVersion)
	case c.Request != "" && c.Event == "":
		return fmt.Errorf("the request id %q is used for no event", c.Request)
	}
	for _, e := range c.Outbox {
		if e.PRP != c.Record.ID {
			return fmt.Errorf("outbox entry %s belongs to %q", e.ID, e.PRP)
		}
	}
	return nil
}

// encode is a change as lua/apply.lua reads it.
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
		out.Outbox = append(out.Outbox, e.ID, string(b))
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
