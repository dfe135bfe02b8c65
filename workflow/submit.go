package workflow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/prp"
)

// ErrUnfit is returned for a document that the strict lint refuses. Its record
// exists, in the initial state.
var ErrUnfit = errors.New("the document is refused by the strict lint")

// ErrBadInput is returned for what no state of the store could make right.
var ErrBadInput = errors.New("bad input")

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
	Record   Record
	Again    bool // the same content was there already
	Revised  bool
	Findings []prp.Finding
	Err      error // ErrUnfit, ErrConflict, nil
}

// parsed is a submission whose document has been read.
type parsed struct {
	Submission
	doc    prp.Document
	tokens []string // what it says it depends on
}

// Submit takes a batch in. What is wrong with one of them as such (unreadable,
// an id twice, a cycle) creates nothing of the batch.
func (e *Engine) Submit(ctx context.Context, batch []Submission) ([]Submitted, error) {
	docs, at, err := parseAll(batch)
	if err != nil {
		return nil, err
	}
	if err := e.resolve(ctx, docs); err != nil {
		return nil, err
	}
	order, err := e.order(ctx, docs)
	if err != nil {
		return nil, err
	}
	lc, err := e.active(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Submitted, 0, len(docs))
	for _, p := range order {
		done, err := e.submit(ctx, lc, p, at)
		if err != nil {
			return out, err
		}
		out = append(out, done)
	}
	return out, nil
}

// parseAll reads a batch; at says where each id comes from.
func parseAll(batch []Submission) (docs []parsed, at map[string]string, err error) {
	docs, at = make([]parsed, len(batch)), map[string]string{}
	for i, s := range batch {
		p, err := parse(s)
		if err != nil {
			return nil, nil, err
		}
		if other, twice := at[p.ID]; twice {
			return nil, nil, fmt.Errorf("%w: %s and %s have the same id %s: give one of them another with --id", ErrBadInput, other, s.Source, p.ID)
		}
		at[p.ID], docs[i] = s.Source, p
	}
	return docs, at, nil
}

func parse(s Submission) (parsed, error) {
	doc, err := prp.Parse(s.Source, s.Text)
	if err != nil {
		return parsed{}, fmt.Errorf("%w: %w", ErrBadInput, err)
	}
	p := parsed{Submission: s, doc: doc}
	if p.ID == "" {
		p.ID = doc.ID
	}
	if p.ID == "" {
		p.ID = prp.Slug(s.Source)
	}
	if err := prp.CheckID(p.ID); err != nil {
		return parsed{}, fmt.Errorf("%w: %s: %w", ErrBadInput, s.Source, err)
	}
	if p.Priority == "" {
		p.Priority = doc.Priority
	}
	if p.Repo == "" {
		p.Repo = doc.Repo
	}
	for _, t := range slices.Concat(doc.DependsOn, s.Depends) {
		if t = strings.TrimSuffix(t, ".md"); !slices.Contains(p.tokens, t) {
			p.tokens = append(p.tokens, t)
		}
	}
	return p, nil
}

// order sorts a batch so that dependencies come first, and refuses cycles, also
// those that lead through PRPs that are known already.
func (e *Engine) order(ctx context.Context, docs []parsed) ([]parsed, error) {
	byID := map[string]*parsed{}
	for i := range docs {
		byID[docs[i].ID] = &docs[i]
	}
	var order []parsed
	state := map[string]int{} // 1 = on the path, 2 = done
	var path []string
	var visit func(id string) error
	visit = func(id string) error {
		switch state[id] {
		case 1:
			cycle := append(slices.Clone(path[slices.Index(path, id):]), id)
			return fmt.Errorf("%w: the dependencies go round in a circle: %s", ErrBadInput, strings.Join(cycle, " -> "))
		case 2:
			return nil
		}
		state[id] = 1
		path = append(path, id)
		p := byID[id]
		var next []string
		if p != nil {
			next = p.tokens
		} else if rec, _, err := e.Store.Load(ctx, id); err == nil {
			next = rec.DependsOn
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
		for _, dep := range next {
			if err := visit(dep); err != nil {
				return err
			}
		}
		path = path[:len(path)-1]
		state[id] = 2
		if p != nil {
			order = append(order, *p)
		}
		return nil
	}
	for i := range docs {
		if err := visit(docs[i].ID); err != nil {
			return nil, err
		}
	}
	return order, nil
}

func (e *Engine) submit(ctx context.Context, lc *fsm.Lifecycle, p parsed, batch map[string]string) (Submitted, error) {
	out := Submitted{ID: p.ID, Findings: p.doc.Lint()}
	known, _, err := e.load(ctx, p.ID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return out, err
	}
	exists := err == nil
	if exists && known.Document == p.doc.SHA256 {
		out.Record, out.Again = known, true
		out.Err = unfit(known)
		return out, nil
	}
	if exists && !p.Revise {
		out.Record = known
		out.Err = fmt.Errorf("%s: %w: it was submitted before with other content; use --revise to put this one in its place", p.ID, ErrConflict)
		return out, nil
	}
	rec, err := e.newRecord(ctx, p, batch)
	if err != nil {
		return out, err
	}
	if err := e.Store.PutDocument(ctx, p.doc.SHA256, p.Text); err != nil {
		return out, err
	}
	for _, dep := range rec.DependsOn { // before the dependency is read, so that its end is not missed
		if err := e.Store.AddDependant(ctx, dep, p.ID); err != nil {
			return out, err
		}
	}
	if exists {
		out.Revised = true
		out.Record, _, err = e.change(ctx, p.ID, "", "", func(c Context, old Record) (Transition, bool, error) {
			if s, _ := c.Lifecycle.State(old.State); s.Terminal {
				return Transition{}, false, fmt.Errorf("%s: %w: it is %s and can no longer be revised", p.ID, ErrConflict, old.State)
			}
			return decideRevise(c, old, rec, Input{Event: EventRevise, Actor: p.Actor}), true, nil
		})
		if errors.Is(err, ErrConflict) {
			out.Err = err
			return out, nil
		}
	} else {
		out.Record, err = e.create(ctx, lc, rec, p.Actor)
	}
	if err != nil {
		return out, err
	}
	if len(rec.DependsOn) > 0 {
		if err := e.Unblock(ctx, p.ID); err != nil {
			return out, err
		}
	}
	out.Err = unfit(out.Record)
	return out, nil
}

func unfit(r Record) error {
	if len(r.Findings) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: %s", r.ID, ErrUnfit, strings.Join(r.Findings, "; "))
}

// create saves a new record. Whoever was faster with the same content has done
// it for us.
func (e *Engine) create(ctx context.Context, lc *fsm.Lifecycle, rec Record, actor string) (Record, error) {
	now, err := e.now(ctx, rec.ID)
	if err != nil {
		return rec, err
	}
	if err := e.Store.PutLifecycle(ctx, lc.Hash(), lc.Source()); err != nil {
		return rec, err
	}
	applied, err := e.commit(ctx, decideCreate(Context{Lifecycle: lc, Now: now, Nonce: e.Nonce()}, rec, actor))
	if !errors.Is(err, ErrExists) {
		return applied, err
	}
	known, _, lerr := e.load(ctx, rec.ID)
	if lerr == nil && known.Document == rec.Document {
		return known, nil
	}
	return applied, fmt.Errorf("%s: %w: it was submitted by somebody else meanwhile", rec.ID, ErrConflict)
}

// newRecord is the record of a document that nobody has decided on yet.
func (e *Engine) newRecord(ctx context.Context, p parsed, batch map[string]string) (Record, error) {
	rec := Record{ID: p.ID, Title: p.doc.Title, Document: p.doc.SHA256, Revision: 1, Priority: p.Priority, Repo: p.Repo, Source: p.Source}
	for _, f := range p.doc.Lint() {
		if f.Error {
			rec.Findings = append(rec.Findings, f.Message)
		}
	}
	deps, err := e.Store.LoadMany(ctx, p.tokens)
	if err != nil {
		return rec, err
	}
	for i, token := range p.tokens {
		if _, inBatch := batch[token]; inBatch || deps[i].ID != "" {
			rec.DependsOn = append(rec.DependsOn, token)
		} else {
			rec.Unresolved = append(rec.Unresolved, token)
		}
	}
	rec.BlockedBy = slices.Clone(rec.DependsOn)
	return rec, nil
}

func (e *Engine) active(ctx context.Context) (*fsm.Lifecycle, error) {
	if e.Active != nil {
		return e.Active, nil
	}
	def := fsm.Default()
	meta, err := e.Store.Meta(ctx, Meta{Schema: SchemaVersion, StoreID: e.Nonce(), Lifecycle: def.Hash()})
	if err != nil {
		return nil, err
	}
	return e.lifecycle(ctx, meta.Lifecycle)
}

// Plan says what a batch would become, in order, and creates nothing.
func (e *Engine) Plan(ctx context.Context, batch []Submission) ([]Record, error) {
	docs, at, err := parseAll(batch)
	if err != nil {
		return nil, err
	}
	if err := e.resolve(ctx, docs); err != nil {
		return nil, err
	}
	order, err := e.order(ctx, docs)
	if err != nil {
		return nil, err
	}
	var out []Record
	for _, p := range order {
		rec, err := e.newRecord(ctx, p, maps.Clone(at))
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, nil
}
