package memstore

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
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
	if d.slots[id] == nil {
		return workflow.Record{}, d.time(), refusal("load", id, workflow.ErrNotFound)
	}
	l := d.slots[id].loaded()
	return l.Record, d.time(), l.Err
}

// LoadMany reads several records; an unknown id gives one without an ID.
func (s *Store) LoadMany(_ context.Context, ids []string) ([]workflow.Loaded, time.Time, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	recs := make([]workflow.Loaded, len(ids))
	for i, id := range ids {
		recs[i] = d.slots[id].loaded()
	}
	return recs, d.time(), nil
}

// Look sets the time to the next look.
func (s *Store) Look(_ context.Context, id string, seen int64, in time.Duration) error {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	switch sl := d.slots[id]; {
	case sl == nil:
		d.look(id, d.time(), 0)
	case sl.rec.Version == seen, seen == workflow.AnyVersion:
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
func (s *Store) List(_ context.Context) ([]workflow.Loaded, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	recs := make([]workflow.Loaded, len(d.order))
	for i, id := range d.order {
		recs[i] = d.slots[id].loaded()
	}
	return recs, nil
}

// Scan gives ids after a cursor, in their order.
func (s *Store) Scan(_ context.Context, cursor string, limit int) (ids []string, next string, err error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	ids, next = after(sorted(d.slots), cursor, limit)
	return ids, next, nil
}

// Published counts the jobs that are out.
func (s *Store) Published(_ context.Context) (int64, error) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	return int64(len(s.disk.published)), nil
}

// ScanPublished gives the jobs that are out, after a cursor, in their order.
func (s *Store) ScanPublished(_ context.Context, cursor string, limit int) (jobs []tasks.JobRef, next string, err error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	ids, next := after(sorted(d.published), cursor, limit)
	for _, id := range ids {
		jobs = append(jobs, tasks.JobRef{Job: id, Queue: d.published[id]})
	}
	return jobs, next, nil
}

// Unpublish forgets jobs that are no longer those of their records.
func (s *Store) Unpublish(_ context.Context, jobs []string) error {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	for _, job := range jobs {
		delete(s.disk.published, job)
	}
	return nil
}

// after is a page of sorted ids, and the cursor to the next.
func after(ids []string, cursor string, limit int) (some []string, next string) {
	i, there := slices.BinarySearch(ids, cursor)
	if there {
		i++
	}
	if ids = ids[i:]; len(ids) <= limit {
		return ids, ""
	}
	return ids[:limit], ids[limit-1]
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

// DeadLetter finds one by the id of its job.
func (s *Store) DeadLetter(_ context.Context, id string) (workflow.DeadLetter, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if l, ok := d.dead[id]; ok && l.until.After(d.time()) {
		return l.DeadLetter, nil
	}
	return workflow.DeadLetter{}, refusal("dead letter", id, workflow.ErrNotFound)
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

// AcquireLease puts the member at the end of the lease's list.
func (s *Store) AcquireLease(_ context.Context, lease, member string, capacity int) ([]string, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.leases[lease], member) {
		d.leases[lease] = append(d.leases[lease], member)
	}
	return d.members(lease, capacity), nil
}

// ReleaseLease takes the member off the lease.
func (s *Store) ReleaseLease(_ context.Context, lease, member string, capacity int) ([]string, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	d.leases[lease] = slices.DeleteFunc(d.leases[lease], func(m string) bool { return m == member })
	if len(d.leases[lease]) == 0 {
		delete(d.leases, lease)
	}
	return d.members(lease, capacity), nil
}

// LeaseMembers lists the first members of a lease.
func (s *Store) LeaseMembers(_ context.Context, lease string, first int) ([]string, error) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	return s.disk.members(lease, first), nil
}

// LeaseNames lists the leases that have members.
func (s *Store) LeaseNames(_ context.Context) ([]string, error) {
	s.disk.mu.Lock()
	defer s.disk.mu.Unlock()
	return sorted(s.disk.leases), nil
}

func (d *Disk) members(lease string, first int) []string {
	all := d.leases[lease]
	return slices.Clone(all[:min(max(first, 0), len(all))])
}

// Lead makes who the one sweeper.
func (s *Store) Lead(_ context.Context, who string, ttl time.Duration) (bool, error) {
	d := s.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.time()
	if d.leader != who && d.leadsUntil.After(now) && d.leads >= workflow.SchemaVersion {
		return false, nil
	}
	d.leader, d.leads, d.leadsUntil = who, workflow.SchemaVersion, now.Add(ttl)
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
	d.meta.Schema = max(d.meta.Schema, min(ifEmpty.Schema, workflow.SchemaVersion))
	if d.meta.StoreID == "" && d.meta.Lifecycle == "" {
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
	if s.disk.meta.Lifecycle == "" {
		return refusal("use lifecycle", hash, workflow.ErrNotFound)
	}
	s.disk.meta.Lifecycle = hash
	return nil
}
