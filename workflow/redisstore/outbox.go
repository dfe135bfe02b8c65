package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/reliable"
	"github.com/prpflow/prpflow/workflow"
)

// lookAtAll is how often Mine reads also the lists in which it expects nothing:
// a change whose answer was lost may arrive in Redis long after it was given up.
const lookAtAll = 30 * time.Second

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

func (s *Store) expects(p int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.unsent[p]) > 0
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
// it expects nothing it asks Redis now and then.
func (s *Store) Mine(ctx context.Context) ([]workflow.OutboxEntry, error) {
	s.mu.Lock()
	whole := time.Since(s.lookedAt) >= lookAtAll
	s.mu.Unlock()
	var all []workflow.OutboxEntry
	for p := range s.outboxes {
		if !whole && !s.expects(p) {
			continue
		}
		entries, err := s.mine(ctx, p)
		if err != nil {
			return all, failure("mine", outboxPrefix(p), err)
		}
		all = append(all, entries...)
	}
	if whole {
		s.mu.Lock()
		s.lookedAt = time.Now()
		s.mu.Unlock()
	}
	return all, nil
}

// mine lists what lies in this process' list of one partition. What is no entry
// is put aside.
func (s *Store) mine(ctx context.Context, p int) ([]workflow.OutboxEntry, error) {
	q := s.outboxes[p]
	if s.expects(p) {
		if err := q.Extend(ctx); err != nil {
			return nil, err
		}
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

// errBusy says that processes came and went faster than their lists could be read.
var errBusy = errors.New("the processes that send keep changing")

// InOutbox says whether anything of the PRP is still to be sent.
func (s *Store) InOutbox(ctx context.Context, prp string) (bool, error) {
	p := s.partition(prp)
	for range 10 {
		raws, err := s.allEntries(ctx, p)
		if errors.Is(err, errBusy) {
			continue
		}
		if err != nil {
			return false, failure("outbox of", prp, err)
		}
		return slices.ContainsFunc(raws, func(raw string) bool {
			m, err := reliable.Decode([]byte(raw))
			if err != nil {
				return false
			}
			e, err := s.decode(m, p)
			return err == nil && e.PRP == prp
		}), nil
	}
	return false, failure("outbox of", prp, errBusy)
}

// allEntries reads a partition's lists at one moment: an entry that moves from
// one to another meanwhile would be seen in neither.
func (s *Store) allEntries(ctx context.Context, p int) ([]string, error) {
	workers, err := s.rdb.ZRange(ctx, s.keys[p].Takers, 0, -1).Result()
	if err != nil {
		return nil, err
	}
	pipe := s.rdb.TxPipeline()
	now := pipe.ZRange(ctx, s.keys[p].Takers, 0, -1)
	lists := []*redis.StringSliceCmd{pipe.LRange(ctx, s.keys[p].Pending, 0, -1)}
	for _, w := range workers {
		key, err := s.keys[p].Taken(w)
		if err != nil {
			return nil, err
		}
		lists = append(lists, pipe.LRange(ctx, key, 0, -1))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	for _, w := range now.Val() {
		if !slices.Contains(workers, w) {
			return nil, errBusy
		}
	}
	var raws []string
	for _, l := range lists {
		raws = append(raws, l.Val()...)
	}
	return raws, nil
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
