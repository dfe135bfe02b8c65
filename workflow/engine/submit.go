package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/prp"
	"github.com/prpflow/prpflow/workflow"
)

// Submission is a document on its way in.
type Submission struct {
	ID       string // overrides the document's
	Source   string // path
	Text     []byte
	Priority string   // overrides the document's
	Depends  []string // beside the document's
	Repo     string   // overrides the document's
	Revise   bool
	Actor    string
}

// Submitted says what became of a submission.
type Submitted struct {
	ID       string
	Record   workflow.Record
	Again    bool // the same was there already
	Revised  bool
	Kept     bool // a revision was refused, and the PRP stays as it is
	Findings []prp.Finding
	Err      error // ErrUnfit, ErrConflict, nil
}

// Submit takes a batch in. What is wrong with one of them as such (unreadable,
// a duplicate id, a cycle) creates nothing of the batch.
func (e *Engine) Submit(ctx context.Context, submissions []Submission) ([]Submitted, error) {
	b, err := e.batch(ctx, submissions)
	if err != nil {
		return nil, err
	}
	lc, err := e.active(ctx)
	if err != nil {
		return nil, err
	}
	if err := e.cfg.Store.PutLifecycle(ctx, lc.Hash(), lc.Source()); err != nil {
		return nil, err
	}
	out := make([]Submitted, len(b.order))
	errs := e.Each(ctx, len(b.order), func(i int) (err error) {
		out[i], err = e.submit(ctx, lc, b, b.order[i])
		return err
	})
	if err := errors.Join(errs...); err != nil {
		return nil, first(errs)
	}
	if err := e.release(ctx, out); err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Err == nil {
			out[i].Err = unfit(out[i].Record)
		}
	}
	return out, nil
}

func first(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Plan says what a batch would become, in order, and creates nothing.
func (e *Engine) Plan(ctx context.Context, submissions []Submission) ([]workflow.Record, error) {
	b, err := e.batch(ctx, submissions)
	if err != nil {
		return nil, err
	}
	var out []workflow.Record
	for _, p := range b.order {
		out = append(out, b.record(p))
	}
	return out, nil
}

// submit creates or revises one PRP. Dependencies that have ended already are
// looked at afterwards.
func (e *Engine) submit(ctx context.Context, lc *fsm.Lifecycle, b *batch, p parsed) (Submitted, error) {
	out := Submitted{ID: p.ID, Findings: p.doc.Lint()}
	known := b.known[p.ID]
	if known.Err != nil {
		out.Record, out.Err = known.Record, known.Err
		return out, nil
	}
	rec := b.record(p)
	if known.ID != "" {
		switch {
		case known.Document == rec.Document && (!p.Revise || known.SameRequest(rec)):
			out.Record, out.Again = known.Record, true
			return out, e.cfg.Store.PutDocument(ctx, p.doc.SHA256, p.Text) // a failover may have lost it
		case !p.Revise:
			out.Record = known.Record
			out.Err = fmt.Errorf("%s: %w: it was submitted before with other content; use --revise to put this one in its place", p.ID, workflow.ErrConflict)
			return out, nil
		}
	}
	if err := e.cfg.Store.PutDocument(ctx, p.doc.SHA256, p.Text); err != nil {
		return out, err
	}
	for _, dep := range rec.DependsOn { // before the dependency is read, so that its end is not missed
		if err := e.cfg.Store.AddDependant(ctx, dep, p.ID); err != nil {
			return out, err
		}
	}
	var err error
	if known.ID == "" {
		out.Record, err = e.create(ctx, lc, rec, b.now, p.Actor)
		return out, err
	}
	out.Revised = true
	out.Record, _, err = e.change(ctx, p.ID, func(c workflow.Context, old workflow.Record) (workflow.Change, bool, error) {
		t, err := workflow.Revise(c, old, rec, p.Actor)
		return t, err == nil, err
	})
	if errors.Is(err, workflow.ErrConflict) || errors.Is(err, workflow.ErrUnfit) {
		out.Revised, out.Kept, out.Err = false, errors.Is(err, workflow.ErrUnfit), err
		return out, nil
	}
	return out, err
}

func unfit(r workflow.Record) error {
	if len(r.Findings) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: %s", r.ID, workflow.ErrUnfit, strings.Join(r.Findings, "; "))
}

// create saves a new record. Whoever was faster with the same content has done
// it for us.
func (e *Engine) create(ctx context.Context, lc *fsm.Lifecycle, rec workflow.Record, now time.Time, actor string) (workflow.Record, error) {
	rec.Lifecycle = lc.Hash()
	c, err := e.context(ctx, rec, now)
	if err != nil {
		return rec, err
	}
	c.Lifecycle = lc
	t, err := workflow.Create(c, rec, actor)
	if err != nil {
		return rec, err
	}
	applied, err := e.commit(ctx, t)
	if !errors.Is(err, workflow.ErrExists) {
		return applied, err
	}
	known, _, lerr := e.cfg.Store.Load(ctx, rec.ID)
	if lerr == nil && known.Document == rec.Document {
		return known, nil
	}
	return applied, fmt.Errorf("%s: %w: another process submitted it meanwhile", rec.ID, workflow.ErrConflict)
}

// release lets those go on whose dependencies have ended before they were
// created.
func (e *Engine) release(ctx context.Context, out []Submitted) error {
	recs := make([]workflow.Loaded, len(out))
	for i, s := range out {
		recs[i] = workflow.Loaded{Record: s.Record}
	}
	ids, err := e.Released(ctx, recs)
	if err != nil {
		return err
	}
	return first(e.Each(ctx, len(ids), func(i int) error { return e.Unblock(ctx, ids[i]) }))
}

// active is the lifecycle of new PRPs.
func (e *Engine) active(ctx context.Context) (*fsm.Lifecycle, error) {
	if e.cfg.Active != nil {
		return e.cfg.Active, nil
	}
	def := fsm.Default()
	meta, err := e.cfg.Store.Meta(ctx, workflow.Meta{Schema: workflow.SchemaVersion, StoreID: e.cfg.Nonce(), Lifecycle: def.Hash()})
	if err != nil {
		return nil, err
	}
	return e.lifecycle(ctx, meta.Lifecycle)
}
