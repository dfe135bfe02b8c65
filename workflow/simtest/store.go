package simtest

import (
	"context"
	"errors"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/memstore"
)

// store is a process' view of the store.
type store struct {
	*memstore.Store
	s *Sim
	p *process
}

func (st *store) Load(ctx context.Context, id string) (workflow.Record, time.Time, error) {
	var now time.Time
	rec, err := call(st.s, "load", id, func() (rec workflow.Record, err error) {
		rec, now, err = st.Store.Load(ctx, id)
		return rec, err
	})
	return st.s.Break.load(st, rec), now, err
}

func (st *store) LoadMany(ctx context.Context, ids []string) ([]workflow.Loaded, time.Time, error) {
	var now time.Time
	recs, err := call(st.s, "load many", "", func() (recs []workflow.Loaded, err error) {
		recs, now, err = st.Store.LoadMany(ctx, ids)
		return recs, err
	})
	return recs, now, err
}

func (st *store) Scan(ctx context.Context, cursor string, limit int) (ids []string, next string, err error) {
	ids, err = call(st.s, "scan", "", func() (ids []string, err error) {
		ids, next, err = st.Store.Scan(ctx, cursor, limit)
		return ids, err
	})
	return ids, next, err
}

func (st *store) Published(ctx context.Context) (int64, error) {
	return call(st.s, "published", "", func() (int64, error) { return st.Store.Published(ctx) })
}

func (st *store) ScanPublished(ctx context.Context, cursor string, limit int) (jobs []tasks.JobRef, next string, err error) {
	jobs, err = call(st.s, "scan published", "", func() (jobs []tasks.JobRef, err error) {
		jobs, next, err = st.Store.ScanPublished(ctx, cursor, limit)
		return jobs, err
	})
	return jobs, next, err
}

func (st *store) PutDocument(ctx context.Context, sha string, text []byte) error {
	return do(st.s, "put document", "", func() error { return st.Store.PutDocument(ctx, sha, text) })
}

func (st *store) PutLifecycle(ctx context.Context, hash string, source []byte) error {
	return do(st.s, "put lifecycle", "", func() error { return st.Store.PutLifecycle(ctx, hash, source) })
}

func (st *store) Document(ctx context.Context, sha string) ([]byte, error) {
	return call(st.s, "document", "", func() ([]byte, error) { return st.Store.Document(ctx, sha) })
}

func (st *store) LeaseMembers(ctx context.Context, lease string, first int) ([]string, error) {
	return call(st.s, "lease members", lease, func() ([]string, error) { return st.Store.LeaseMembers(ctx, lease, first) })
}

func (st *store) LeaseNames(ctx context.Context) ([]string, error) {
	return call(st.s, "lease names", "", func() ([]string, error) { return st.Store.LeaseNames(ctx) })
}

func (st *store) Apply(ctx context.Context, c workflow.Change) (workflow.Record, error) {
	return call(st.s, "apply", c.Record.ID, func() (workflow.Record, error) {
		before, _ := st.s.disk.Peek(c.Record.ID)
		c = st.s.Break.change(c)
		rec, err := st.Store.Apply(ctx, c)
		if errors.Is(err, workflow.ErrChanged) && st.s.Break == BreakSwap {
			c.SeenVersion, c.SeenToken, c.SeenState = before.Version, before.Token, before.State
			rec, err = st.Store.Apply(ctx, c)
		}
		if err == nil {
			st.s.checkChange(before, rec, c)
			st.s.checkReach(rec.ID)
		}
		return rec, err
	})
}

func (st *store) Look(ctx context.Context, id string, seen int64, in time.Duration) error {
	return do(st.s, "look", id, func() error { return st.Store.Look(ctx, id, seen, in) })
}

func (st *store) Request(ctx context.Context, id, request string) (string, error) {
	return call(st.s, "request", request, func() (string, error) {
		if st.s.Break == BreakRequest {
			return "", nil
		}
		return st.Store.Request(ctx, id, request)
	})
}

func (st *store) Due(ctx context.Context, limit int) ([]string, error) {
	return call(st.s, "due", "", func() ([]string, error) { return st.Store.Due(ctx, limit) })
}

func (st *store) Held(ctx context.Context, incarnation string) ([]string, error) {
	return call(st.s, "held", "", func() ([]string, error) { return st.Store.Held(ctx, incarnation) })
}

func (st *store) AddDependant(ctx context.Context, dep, id string) error {
	return do(st.s, "add dependant", "", func() error { return st.Store.AddDependant(ctx, dep, id) })
}

func (st *store) Dependants(ctx context.Context, dep, after string, limit int) ([]string, error) {
	return call(st.s, "dependants", "", func() ([]string, error) { return st.Store.Dependants(ctx, dep, after, limit) })
}

func (st *store) AcquireLease(ctx context.Context, lease, member string, capacity int) ([]string, error) {
	return call(st.s, "acquire", member, func() ([]string, error) {
		owners, err := st.Store.AcquireLease(ctx, lease, member, capacity)
		if st.s.Break == BreakLease {
			owners = []string{member}
		}
		return owners, err
	})
}

func (st *store) ReleaseLease(ctx context.Context, lease, member string, capacity int) ([]string, error) {
	return call(st.s, "release", member, func() ([]string, error) { return st.Store.ReleaseLease(ctx, lease, member, capacity) })
}

func (st *store) Lead(ctx context.Context, who string, ttl time.Duration) (bool, error) {
	return call(st.s, "lead", "", func() (bool, error) { return st.Store.Lead(ctx, who, ttl) })
}

func (st *store) Receive(ctx context.Context, _ time.Duration) (e workflow.OutboxEntry, ok bool, err error) {
	e, err = call(st.s, "receive", "", func() (e workflow.OutboxEntry, err error) {
		e, ok, err = st.Store.Receive(ctx, 0)
		return e, err
	})
	if ok && st.s.Break == BreakOutbox {
		_ = st.Store.Ack(ctx, e) // gone before it is sent
		st.s.yield()
	}
	return e, ok && err == nil, err
}

func (st *store) Ack(ctx context.Context, e workflow.OutboxEntry) error {
	return do(st.s, "ack", e.Kind, func() error {
		err := st.Store.Ack(ctx, e)
		st.s.checkReach(e.PRP)
		return err
	})
}

func (st *store) Requeue(ctx context.Context, done, next workflow.OutboxEntry) error {
	return do(st.s, "requeue", "", func() error { return st.Store.Requeue(ctx, done, next) })
}

func (st *store) Mine(ctx context.Context) ([]workflow.OutboxEntry, error) {
	return call(st.s, "mine", "", func() ([]workflow.OutboxEntry, error) { return st.Store.Mine(ctx) })
}

func (st *store) Reap(ctx context.Context, dead []string) (int, error) {
	return call(st.s, "reap", "", func() (int, error) { return st.Store.Reap(ctx, dead) })
}

func (st *store) Unsent(ctx context.Context, entries []workflow.OutboxRef) ([]bool, error) {
	return call(st.s, "unsent", "", func() ([]bool, error) { return st.Store.Unsent(ctx, entries) })
}

func (st *store) Park(ctx context.Context, e workflow.OutboxEntry) error {
	return do(st.s, "park", e.Kind, func() error { return st.Store.Park(ctx, e) })
}

func (st *store) Adopt(ctx context.Context, kinds []string) error {
	return do(st.s, "adopt", "", func() error { return st.Store.Adopt(ctx, kinds) })
}

func (st *store) DeadLetter(ctx context.Context, id string) (workflow.DeadLetter, error) {
	return call(st.s, "dead letter", id, func() (workflow.DeadLetter, error) { return st.Store.DeadLetter(ctx, id) })
}

func (st *store) Unpublish(ctx context.Context, jobs []string) error {
	return do(st.s, "unpublish", "", func() error { return st.Store.Unpublish(ctx, jobs) })
}
