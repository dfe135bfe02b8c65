package redisstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/reliable"
	"github.com/prpflow/prpflow/workflow"
)

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

// expects says whether this process' list holds something, or soon will. What it
// does not know of is counted by each renewal of its lease: a change whose
// answer was lost may arrive in Redis long after it was given up.
func (s *Store) expects(p int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.unsent[p]) > 0 || s.outboxes[p].Held() > 0
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
	if next.PRP != done.PRP {
		return fmt.Errorf("redisstore: requeue %s: it belongs to %q, and what it follows to %q", next.ID, next.PRP, done.PRP)
	}
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

// Mine lists what lies unsent in this process' list and renews its lease. Where
// it expects nothing it asks nothing.
func (s *Store) Mine(ctx context.Context) ([]workflow.OutboxEntry, error) {
	var all []workflow.OutboxEntry
	for p := range s.outboxes {
		if !s.expects(p) {
			continue
		}
		entries, err := s.mine(ctx, p)
		if err != nil {
			return all, failure("mine", outboxPrefix(p), err)
		}
		all = append(all, entries...)
	}
	return all, nil
}

// mine lists what lies in this process' list of one partition. What is no entry
// is put aside.
func (s *Store) mine(ctx context.Context, p int) ([]workflow.OutboxEntry, error) {
	q := s.outboxes[p]
	if err := q.Extend(ctx); err != nil {
		return nil, err
	}
	messages, err := q.Mine(ctx)
	if err != nil {
		return nil, err
	}
	var entries []workflow.OutboxEntry
	there := make(map[string]bool, len(messages))
	for _, m := range messages {
		e, why := s.decode(m, p)
		if why == nil {
			entries = append(entries, e)
			there[m.ID] = true
		} else if err := s.quarantine(ctx, p, m, why); err != nil {
			return entries, err
		}
	}
	s.reconcile(p, there)
	return entries, nil
}

// reconcile drops what is expected and not there, once it had the time from one
// look to the next to come.
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
	dead = slices.DeleteFunc(slices.Clone(dead), func(worker string) bool { return worker == "" })
	total := 0
	for p, q := range s.outboxes {
		n, err := q.Reap(ctx, dead...)
		total += n
		if err != nil {
			return total, failure("reap", outboxPrefix(p), err)
		}
	}
	return total, nil
}

// Unsent says which entries are still to be sent. One that an older
// version wrote, a whole envelope in a list, is not found before it is received. One
// that was put aside will not be sent.
func (s *Store) Unsent(ctx context.Context, entries []workflow.OutboxRef) ([]bool, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	pipe := s.rdb.Pipeline()
	there, dead := make([]*redis.BoolCmd, len(entries)), make([]*redis.BoolCmd, len(entries))
	for i, e := range entries {
		keys := s.keys[s.partition(e.PRP)]
		there[i], dead[i] = pipe.HExists(ctx, keys.Messages, e.ID), pipe.HExists(ctx, keys.Dead, e.ID)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, failure("outbox of", entries[0].PRP, err)
	}
	unsent := make([]bool, len(entries))
	for i := range entries {
		unsent[i] = there[i].Val() && !dead[i].Val()
	}
	return unsent, nil
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
