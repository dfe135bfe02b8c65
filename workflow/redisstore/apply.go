package redisstore

import (
	"context"
	"fmt"
	"strconv"

	"github.com/prpflow/prpflow/workflow"
)

// Apply saves a change whole, or nothing of it.
func (s *Store) Apply(ctx context.Context, c workflow.Change) (workflow.Record, error) {
	id := c.Record.ID
	if err := check(c); err != nil {
		return workflow.Record{}, fmt.Errorf("redisstore: apply %s: %w", id, err)
	}
	l, data, err := encode(c)
	if err != nil {
		return workflow.Record{}, fmt.Errorf("redisstore: apply %s: %w", id, err)
	}
	p := s.partition(id)
	keys, err := s.applyKeys(p, c)
	if err != nil {
		return workflow.Record{}, failure("apply", id, err)
	}
	if s.cfg.Worker != "" {
		s.expect(p, c.Outbox)
	}
	answer, err := s.scripts.apply.Run(ctx, s.rdb, keys,
		c.Token, c.SeenVersion, c.SeenState, id, c.Record.State, data, millis(c.LookIn), s.cfg.Worker,
		millis(s.cfg.Lease), eventOf(c), millis(requestsKept), flag(c.Hold), flag(c.Release), millis(deadKept),
		c.SeenToken, c.Publish.Job, c.Publish.Queue, c.Retire.Job, l).Slice()
	if err != nil {
		return workflow.Record{}, failure("apply", id, err)
	}
	rec := c.Record.Clone()
	rec.Token = c.Token
	if err := applied(&rec, answer); err != nil {
		s.forget(p, c.Outbox)
		return workflow.Record{}, fmt.Errorf("redisstore: apply %s: %w", id, err)
	}
	return rec, nil
}

// applyKeys are the keys in the order of lua/apply.lua.
func (s *Store) applyKeys(p int, c workflow.Change) ([]string, error) {
	id := c.Record.ID
	var k keyring
	k.add(s.recordKey(id))
	k.add(s.historyKey(id))
	k.keys = append(k.keys, dueKey(p), indexKey(p), statesKey(p), eventsKey(p), deadKey(p), deadTimesKey(p))
	if s.cfg.Worker == "" {
		k.add(s.keys[p].Pending, nil)
	} else {
		k.add(s.keys[p].Hand(s.cfg.Worker))
	}
	k.add(s.keys[p].Takers, nil)
	for _, holder := range []string{c.Hold, c.Release} {
		if holder == "" {
			k.add(k.keys[0], nil)
		} else {
			k.add(heldKey(p, holder))
		}
	}
	if c.Request == "" {
		k.add(k.keys[0], nil)
	} else {
		k.add(s.requestKey(id, c.Request))
	}
	k.add(s.keys[p].Messages, nil)
	k.add(publishedKey(p), nil)
	return k.keys, k.err
}

// applied reads the script's answer into the record.
func applied(rec *workflow.Record, answer []any) error {
	if len(answer) == 0 {
		return fmt.Errorf("unexpected answer %v", answer)
	}
	code, _ := answer[0].(int64)
	switch code {
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
