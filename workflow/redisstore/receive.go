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

// errClosed answers who waits for entries of a closed store.
var errClosed = errors.New("redisstore: the store is closed")

// complainFor is how long a failure waits to be told. Older ones say nothing
// about now: after an outage one of each partition would come first.
const complainFor = 200 * time.Millisecond

// received is what a partition's shared list gave.
type received struct {
	entry workflow.OutboxEntry
	err   error
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
	case <-s.closed:
		return workflow.OutboxEntry{}, false, errClosed
	}
}

// receive hands on what arrives in one partition. What nobody takes any more
// stays in this process' list.
func (s *Store) receive(ctx context.Context, p int) {
	for ctx.Err() == nil {
		e, err := s.receiveOne(ctx, p)
		if errors.Is(err, reliable.ErrEmpty) {
			continue
		}
		var stale <-chan time.Time
		if err != nil {
			stale = time.After(complainFor)
		}
		select {
		case s.arrived <- received{e, err}:
		case <-stale:
		case <-ctx.Done():
		}
	}
}

// receiveOne answers reliable.ErrEmpty also where what came was no entry.
func (s *Store) receiveOne(ctx context.Context, p int) (workflow.OutboxEntry, error) {
	m, err := s.outboxes[p].Receive(ctx, 30*time.Second)
	if errors.Is(err, reliable.ErrEmpty) {
		return workflow.OutboxEntry{}, err
	}
	if err != nil {
		return workflow.OutboxEntry{}, failure("receive", outboxPrefix(p), err)
	}
	e, why := s.decode(m, p)
	if why != nil {
		s.expect(p, []workflow.OutboxEntry{{ID: m.ID}}) // where it cannot be put aside now, Mine does it
		if err := s.quarantine(ctx, p, m, why); err != nil {
			return e, failure("put aside", m.ID, err)
		}
		return e, reliable.ErrEmpty
	}
	s.expect(p, []workflow.OutboxEntry{e})
	return e, nil
}

// decode reads an entry, and refuses what could never be acknowledged.
func (s *Store) decode(m reliable.Message, p int) (workflow.OutboxEntry, error) {
	var e workflow.OutboxEntry
	if err := json.Unmarshal(m.Body, &e); err != nil {
		return e, fmt.Errorf("outbox entry %s is damaged: %w", m.ID, err)
	}
	if e.PRP == "" || s.partition(e.PRP) != p {
		return e, fmt.Errorf("outbox entry %s of %q does not belong into partition %d", m.ID, e.PRP, p)
	}
	e.ID = m.ID
	return e, nil
}

// quarantine puts a message that is no entry to the outbox' dead letters: see
// OutboxDead.
func (s *Store) quarantine(ctx context.Context, p int, m reliable.Message, why error) error {
	if err := s.outboxes[p].Bury(ctx, m, why); err != nil {
		return err
	}
	s.forget(p, []workflow.OutboxEntry{{ID: m.ID}})
	return nil
}

// OutboxDead lists what lay in the outbox and was no entry, by partition, the
// oldest first.
func (s *Store) OutboxDead(ctx context.Context) ([]reliable.DeadMessage, error) {
	var all []reliable.DeadMessage
	for p, q := range s.outboxes {
		dead, err := q.Dead(ctx)
		if err != nil {
			return nil, failure("dead letters of", outboxPrefix(p), err)
		}
		all = append(all, dead...)
	}
	return all, nil
}
