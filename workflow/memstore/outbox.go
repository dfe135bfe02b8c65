package memstore

import (
	"context"
	"slices"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// Receive takes the next entry of the shared list, or waits for one.
func (s *Store) Receive(ctx context.Context, wait time.Duration) (workflow.OutboxEntry, bool, error) {
	e, ok, more := s.take()
	if ok || wait <= 0 {
		return e, ok, nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for ; !ok; e, ok, more = s.take() {
		select {
		case <-more:
		case <-timer.C:
			return e, false, nil
		case <-ctx.Done():
			return e, false, ctx.Err()
		}
	}
	return e, true, nil
}

// take takes the next entry; where there is none, more is closed when one comes.
func (s *Store) take() (e workflow.OutboxEntry, ok bool, more <-chan struct{}) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.shared) == 0 {
		return e, false, d.pushed
	}
	e = d.shared[0]
	d.shared = d.shared[1:]
	h := d.hands(s.worker)
	h.entries = append(h.entries, e)
	return e, true, nil
}

// Ack removes an entry that was sent.
func (s *Store) Ack(_ context.Context, e workflow.OutboxEntry) error {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	s.disk.drop(s.worker, e.ID)
	return nil
}

// drop takes an entry out of a process' hands; false where it is not there.
func (d *Disk) drop(worker, id string) bool {
	h := d.taken[worker]
	if h == nil {
		return false
	}
	i := slices.IndexFunc(h.entries, func(e workflow.OutboxEntry) bool { return e.ID == id })
	if i < 0 {
		return false
	}
	h.entries = slices.Delete(h.entries, i, i+1)
	if len(h.entries) == 0 {
		delete(d.taken, worker)
	}
	return true
}

// Requeue puts the next chunk at the end of the shared list. An entry that is
// no longer in hand has gone home, and its successor with it.
func (s *Store) Requeue(_ context.Context, done, next workflow.OutboxEntry) error {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.drop(s.worker, done.ID) {
		return refusal("requeue", done.ID, workflow.ErrNotFound)
	}
	d.push(next)
	return nil
}

// Mine lists what lies unsent in this process' list and renews its lease.
func (s *Store) Mine(_ context.Context) ([]workflow.OutboxEntry, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.taken[s.worker] == nil {
		return nil, nil
	}
	return slices.Clone(d.hands(s.worker).entries), nil
}

// Reap brings home what dead processes left.
func (s *Store) Reap(_ context.Context, dead []string) (int, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, worker := range sorted(d.taken) {
		if slices.Contains(dead, worker) || d.taken[worker].until.Before(d.time()) {
			n += d.home(worker)
		}
	}
	return n, nil
}

// Unsent says which entries are still to be sent.
func (s *Store) Unsent(_ context.Context, entries []workflow.OutboxRef) ([]bool, error) {
	unsent := make([]bool, len(entries))
	for i, e := range entries {
		unsent[i] = s.disk.IsUnsent(func(o workflow.OutboxEntry) bool { return o.PRP == e.PRP && o.ID == e.ID })
	}
	return unsent, nil
}

// Park keeps an entry for a process that knows its kind.
func (s *Store) Park(_ context.Context, e workflow.OutboxEntry) error {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.drop(s.worker, e.ID) {
		d.parked = append(d.parked, e)
	}
	return nil
}

// Adopt puts what is parked of these kinds into this process' list.
func (s *Store) Adopt(_ context.Context, kinds []string) error {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	var left []workflow.OutboxEntry
	for _, e := range d.parked {
		if slices.Contains(kinds, e.Kind) {
			h := d.hands(s.worker)
			h.entries = append(h.entries, e)
		} else {
			left = append(left, e)
		}
	}
	d.parked = left
	return nil
}
