package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// Apply saves a change whole, or nothing of it.
func (s *Store) Apply(_ context.Context, c workflow.Change) (workflow.Record, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	id := c.Record.ID
	was := d.slots[id]
	switch {
	case was != nil && was.answers[c.SeenVersion+1].token == c.Token:
		return was.answers[c.SeenVersion+1].rec.Clone(), nil
	case c.SeenVersion == 0 && was != nil:
		return workflow.Record{}, refusal("apply", id, workflow.ErrExists)
	case c.SeenVersion == 0:
	case was == nil:
		return workflow.Record{}, refusal("apply", id, workflow.ErrNotFound)
	case was.rec.Version != c.SeenVersion, was.rec.State != c.SeenState, c.SeenToken != "" && was.rec.Token != c.SeenToken:
		return workflow.Record{}, refusal("apply", id, workflow.ErrChanged)
	}
	now := d.time()
	rec := c.Record.Clone()
	rec.Version, rec.Token = c.SeenVersion+1, c.Token
	rec.UpdatedAt, rec.CreatedAt = now, now
	if was == nil {
		was = &slot{answers: map[int64]answer{}, requests: map[string]request{}, logs: map[string]workflow.RunLog{}}
		d.slots[id] = was
		d.order = append(d.order, id)
		d.states[rec.State]++
	} else {
		rec.CreatedAt = was.rec.CreatedAt
		if rec.UpdatedAt.Before(was.rec.UpdatedAt) {
			rec.UpdatedAt = was.rec.UpdatedAt // a clock that goes back never makes a history do so
		}
		if was.rec.State != rec.State {
			d.states[was.rec.State]--
			d.states[rec.State]++
		}
	}
	was.rec = rec
	was.answers[rec.Version] = answer{c.Token, rec}
	delete(was.answers, rec.Version-tokensKept)
	for _, h := range c.History {
		h.At = rec.UpdatedAt
		was.history = append(was.history, h)
		d.events[h.Event]++
	}
	if c.Request != "" {
		was.requests[c.Request] = request{c.Event, now.Add(requestsKept)}
	}
	d.follow(c, now)
	if s.worker == "" {
		d.push(c.Outbox...)
	} else if len(c.Outbox) > 0 {
		h := d.hands(s.worker)
		h.entries = append(h.entries, c.Outbox...)
	}
	return rec.Clone(), nil
}

// follow keeps what is known of a PRP beside its record.
func (d *Disk) follow(c workflow.Change, now time.Time) {
	id := c.Record.ID
	d.look(id, now, c.LookIn)
	for _, l := range c.Bury {
		d.dead[l.ID] = letter{l, now.Add(deadKept)}
	}
	for _, l := range c.Raise {
		delete(d.dead, l)
	}
	if c.Release != "" {
		delete(d.held[c.Release], id)
	}
	if c.Hold != "" {
		set(d.held, c.Hold, id)
	}
	delete(d.published, c.Retire.Job)
	if c.Publish.Job != "" {
		d.published[c.Publish.Job] = c.Publish.Queue
	}
}

func (d *Disk) look(id string, now time.Time, in time.Duration) {
	if in <= 0 {
		delete(d.due, id)
		return
	}
	d.due[id] = now.Add(in)
}

func refusal(op, id string, why error) error {
	return fmt.Errorf("memstore: %s %s: %w", op, id, why)
}
