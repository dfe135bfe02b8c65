package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/prpflow/prpflow/reliable"
	"github.com/prpflow/prpflow/workflow"
)

// received is what a partition's shared list gave.
type received struct {
	entry workflow.OutboxEntry
	err   error
}

// expect notes entries that lie in this process' list, or soon will.
func (s *Store) expect(p int, entries []workflow.OutboxEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		s.unsent[p][e.ID] = true
	}
}

func (s *Store) forget(p int, entries []workflow.OutboxEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		delete(s.unsent[p], e.ID)
	}
}

// Receive takes an entry of a shared list. Each partition's list is waited for
// on a connection of its own, since on a cluster they lie on different servers.
func (s *Store) Receive(ctx context.Context, wait time.Duration) (workflow.OutboxEntry, bool, error) {
	s.start.Do(func() {
		var inner context.Context
		inner, s.stop = context.WithCancel(context.WithoutCancel(ctx))
		for p := range s.outboxes {
			s.done.Go(func() { s.receive(inner, p) })
		}
	})
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case r := <-s.arrived:
		return r.entry, r.err == nil, r.err
	case <-timer.C:
		return workflow.OutboxEntry{}, false, nil
	case <-ctx.Done():
		return workflow.OutboxEntry{}, false, ctx.Err()
	}
}

// receive hands on what arrives in one partition. What nobody takes any more
// stays in this process' list.
func (s *Store) receive(ctx context.Context, p int) {
	for ctx.Err() == nil {
		m, err := s.outboxes[p].Receive(ctx, 30*time.Second)
		if errors.Is(err, reliable.ErrEmpty) {
			continue
		}
		var r received
		if err == nil {
			r.entry, r.err = decode(m)
			s.expect(p, []workflow.OutboxEntry{r.entry})
		} else {
			r.err = failure("receive", outboxPrefix(p), err)
		}
		select {
		case s.arrived <- r:
		case <-ctx.Done():
			return
		}
	}
}

func decode(m reliable.Message) (workflow.OutboxEntry, error) {
	var e workflow.OutboxEntry
	if err := json.Unmarshal(m.Body, &e); err != nil {
		return e, fmt.Errorf("redisstore: outbox entry %s is damaged: %w", m.ID, err)
	}
	e.ID = m.ID
	return e, nil
}

// Ack removes an entry that was sent.
func (s *Store) Ack(ctx context.Context, e workflow.OutboxEntry) error {
	p := s.partition(e.PRP)
	if err := s.outboxes[p].Ack(ctx, e.ID); err != nil {
		return failure("ack", e.ID, err)
	}
	s.forget(p, []workflow.OutboxEntry{e})
	return nil
}

// Requeue puts the next chunk at the end of the shared list.
func (s *Store) Requeue(ctx context.Context, done, next workflow.OutboxEntry) error {
	p := s.partition(done.PRP)
	body, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("redisstore: requeue %s: %w", next.ID, err)
	}
	if err := s.outboxes[p].Replace(ctx, done.ID, reliable.Message{ID: next.ID, Body: body}); err != nil {
		return failure("requeue", done.ID, err)
	}
	s.forget(p, []workflow.OutboxEntry{done})
	return nil
}

// Mine lists what lies unsent in this process' list and renews its lease. It
// asks nothing of Redis where there is nothing.
func (s *Store) Mine(ctx context.Context) ([]workflow.OutboxEntry, error) {
	var all []workflow.OutboxEntry
	for p, q := range s.outboxes {
		s.mu.Lock()
		n := len(s.unsent[p])
		s.mu.Unlock()
		if n == 0 {
			continue
		}
		if err := q.Extend(ctx); err != nil {
			return all, failure("mine", outboxPrefix(p), err)
		}
		messages, err := q.Mine(ctx)
		if err != nil {
			return all, failure("mine", outboxPrefix(p), err)
		}
		there := make(map[string]bool, len(messages))
		for _, m := range messages {
			e, err := decode(m)
			if err != nil {
				return all, err
			}
			all = append(all, e)
			there[m.ID] = true
		}
		s.reconcile(p, there)
	}
	return all, nil
}

// reconcile drops what is expected and not there, once it had a second to come.
func (s *Store) reconcile(p int, there map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, fresh := range s.unsent[p] {
		switch {
		case there[id]:
		case fresh:
			s.unsent[p][id] = false
		default:
			delete(s.unsent[p], id)
		}
	}
	for id := range there {
		s.unsent[p][id] = true
	}
}

// Reap brings home what dead processes left.
func (s *Store) Reap(ctx context.Context, dead []string) (int, error) {
	total := 0
	for p, q := range s.outboxes {
		n, err := q.Reap(ctx, dead...)
		if err != nil {
			return total, failure("reap", outboxPrefix(p), err)
		}
		total += n
	}
	return total, nil
}

// InOutbox says whether anything of the PRP is still to be sent.
func (s *Store) InOutbox(ctx context.Context, prp string) (bool, error) {
	p := s.partition(prp)
	workers, err := s.rdb.ZRange(ctx, s.keys[p].Takers, 0, -1).Result()
	if err != nil {
		return false, failure("outbox", prp, err)
	}
	lists := []string{s.keys[p].Pending}
	for _, w := range workers {
		if key, err := s.keys[p].Taken(w); err == nil {
			lists = append(lists, key)
		}
	}
	for _, key := range lists {
		raws, err := s.rdb.LRange(ctx, key, 0, -1).Result()
		if err != nil {
			return false, failure("outbox", prp, err)
		}
		for _, raw := range raws {
			if m, err := reliable.Decode([]byte(raw)); err == nil {
				if e, err := decode(m); err == nil && e.PRP == prp {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// OutboxLag is the age of the oldest entry in the shared lists, those that a
// relay has still to take.
func (s *Store) OutboxLag(ctx context.Context) (time.Duration, error) {
	var oldest time.Duration
	for p, q := range s.outboxes {
		d, err := q.Depth(ctx)
		if err != nil {
			return 0, failure("lag", outboxPrefix(p), err)
		}
		oldest = max(oldest, d.Oldest)
	}
	return oldest, nil
}
