package memstore

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// Store is a workflow.Store for one process.
type Store struct {
	disk   *Disk
	worker string
}

var _ workflow.Store = (*Store)(nil)

// Load reads a record and the clock.
func (s *Store) Load(_ context.Context, id string) (workflow.Record, time.Time, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if sl := d.slots[id]; sl != nil {
		return sl.rec.Clone(), d.time(), nil
	}
	return workflow.Record{}, d.time(), refusal("load", id, workflow.ErrNotFound)
}

// LoadMany reads several records; an unknown id gives one without an ID.
func (s *Store) LoadMany(_ context.Context, ids []string) ([]workflow.Record, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	recs := make([]workflow.Record, len(ids))
	for i, id := range ids {
		if sl := d.slots[id]; sl != nil {
			recs[i] = sl.rec.Clone()
		}
	}
	return recs, nil
}

// Look sets the time to the next look.
func (s *Store) Look(_ context.Context, id string, seen int64, in time.Duration) error {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if sl := d.slots[id]; sl != nil && sl.rec.Version == seen {
		d.look(id, d.time(), in)
	}
	return nil
}

// Request tells what a request id was used for.
func (s *Store) Request(_ context.Context, id, req string) (string, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if sl := d.slots[id]; sl != nil {
		if r := sl.requests[req]; r.until.After(d.time()) {
			return r.event, nil
		}
	}
	return "", nil
}

// History reads a PRP's history.
func (s *Store) History(_ context.Context, id string) ([]workflow.Entry, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if sl := d.slots[id]; sl != nil {
		return slices.Clone(sl.history), nil
	}
	return []workflow.Entry{}, nil
}

// List reads all records, the oldest first.
func (s *Store) List(_ context.Context) ([]workflow.Record, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	recs := make([]workflow.Record, len(d.order))
	for i, id := range d.order {
		recs[i] = d.slots[id].rec.Clone()
	}
	return recs, nil
}

// Counts gives PRPs by state and transitions by event.
func (s *Store) Counts(_ context.Context) (states, events map[string]int64, err error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	return clone(d.states), clone(d.events), nil
}

func clone(m map[string]int64) map[string]int64 {
	c := make(map[string]int64, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// Due lists PRPs whose next look has come, the longest due first.
func (s *Store) Due(_ context.Context, limit int) ([]string, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.time()
	var ids []string
	for id, at := range d.due {
		if !at.After(now) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		if c := d.due[a].Compare(d.due[b]); c != 0 {
			return c
		}
		return bytes.Compare([]byte(a), []byte(b))
	})
	if limit > 0 && len(ids) > limit {
		ids = ids[:limit]
	}
	return ids, nil
}

// Held lists what an incarnation holds.
func (s *Store) Held(_ context.Context, incarnation string) ([]string, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	return sorted(d.held[incarnation]), nil
}

// DeadLetters lists the jobs that were given up, the oldest first.
func (s *Store) DeadLetters(_ context.Context) ([]workflow.DeadLetter, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	dead := []workflow.DeadLetter{}
	for _, id := range sorted(d.dead) {
		if d.dead[id].until.After(d.time()) {
			dead = append(dead, d.dead[id].DeadLetter)
		}
	}
	slices.SortStableFunc(dead, func(a, b workflow.DeadLetter) int { return a.At.Compare(b.At) })
	return dead, nil
}

// AddDependant notes that id waits for dep.
func (s *Store) AddDependant(_ context.Context, dep, id string) error {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	set(d.dependants, dep, id)
	return nil
}

// Dependants lists who waits for dep, after the given one.
func (s *Store) Dependants(_ context.Context, dep, after string, limit int) ([]string, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := sorted(d.dependants[dep])
	if after != "" {
		ids = slices.DeleteFunc(ids, func(id string) bool { return id <= after })
	}
	if len(ids) > limit {
		ids = ids[:limit]
	}
	return ids, nil
}

// AcquireLease makes the member owner of the lease or lets it wait.
func (s *Store) AcquireLease(_ context.Context, lease, member string) (string, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.leases[lease], member) {
		d.leases[lease] = append(d.leases[lease], member)
	}
	return d.leases[lease][0], nil
}

// ReleaseLease takes the member off the lease.
func (s *Store) ReleaseLease(_ context.Context, lease, member string) (string, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leases[lease] = slices.DeleteFunc(d.leases[lease], func(m string) bool { return m == member })
	if len(d.leases[lease]) == 0 {
		delete(d.leases, lease)
		return "", nil
	}
	return d.leases[lease][0], nil
}

// Lead makes who the one sweeper.
func (s *Store) Lead(_ context.Context, who string, ttl time.Duration) (bool, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.time()
	if d.leader != who && d.leadsUntil.After(now) {
		return false, nil
	}
	d.leader, d.leadsUntil = who, now.Add(ttl)
	return true, nil
}

// PutLog keeps what a run has printed.
func (s *Store) PutLog(_ context.Context, prp string, log workflow.RunLog) error {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if sl := d.slots[prp]; sl != nil {
		sl.logs[log.Run] = log
	}
	return nil
}

// Logs lists what runs have printed, in the order of their runs.
func (s *Store) Logs(_ context.Context, prp string) ([]workflow.RunLog, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	logs := []workflow.RunLog{}
	if sl := d.slots[prp]; sl != nil {
		for _, run := range sorted(sl.logs) {
			logs = append(logs, sl.logs[run])
		}
	}
	slices.SortStableFunc(logs, func(a, b workflow.RunLog) int { return a.Started.Compare(b.Started) })
	return logs, nil
}

// PutDocument keeps a document under its hash.
func (s *Store) PutDocument(_ context.Context, sha string, text []byte) error {
	return s.put(s.disk.documents, sha, text)
}

// Document reads a document by its hash.
func (s *Store) Document(_ context.Context, sha string) ([]byte, error) {
	return s.get("document", s.disk.documents, sha)
}

// PutLifecycle keeps a lifecycle under its hash.
func (s *Store) PutLifecycle(_ context.Context, hash string, source []byte) error {
	return s.put(s.disk.lifecycles, hash, source)
}

// Lifecycle reads a lifecycle by its hash.
func (s *Store) Lifecycle(_ context.Context, hash string) ([]byte, error) {
	return s.get("lifecycle", s.disk.lifecycles, hash)
}

func (s *Store) put(m map[string][]byte, key string, text []byte) error {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if _, there := m[key]; !there {
		m[key] = bytes.Clone(text)
	}
	return nil
}

func (s *Store) get(what string, m map[string][]byte, key string) ([]byte, error) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	text, ok := m[key]
	if !ok {
		return nil, refusal(what, key, workflow.ErrNotFound)
	}
	return bytes.Clone(text), nil
}

// Meta reads the store's identity, writing it first on an empty store.
func (s *Store) Meta(_ context.Context, ifEmpty workflow.Meta) (workflow.Meta, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.meta == (workflow.Meta{}) {
		if ifEmpty.Partitions == 0 {
			ifEmpty.Partitions = 8
		}
		d.meta = ifEmpty
	}
	return d.meta, nil
}

// UseLifecycle changes the active lifecycle.
func (s *Store) UseLifecycle(_ context.Context, hash string) error {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	if s.disk.meta == (workflow.Meta{}) {
		return refusal("use lifecycle", hash, workflow.ErrNotFound)
	}
	s.disk.meta.Lifecycle = hash
	return nil
}
