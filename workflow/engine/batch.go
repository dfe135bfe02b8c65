package engine

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prpflow/prpflow/prp"
	"github.com/prpflow/prpflow/workflow"
)

// parsed is a submission whose document has been read.
type parsed struct {
	Submission
	doc    prp.Document
	tokens []string // what it says it depends on
}

// batch is what is submitted together, with all that is known of it.
type batch struct {
	at    map[string]string          // id -> file that it comes from
	known map[string]workflow.Loaded // what is in the store: the batch, and all that it leads to
	order []parsed                   // dependencies first
	now   time.Time
}

// batch reads submissions and what they depend on.
func (e *Engine) batch(ctx context.Context, submissions []Submission) (*batch, error) {
	docs, at, err := parseAll(submissions)
	if err != nil {
		return nil, err
	}
	b := &batch{at: at, known: map[string]workflow.Loaded{}}
	if err := e.resolve(ctx, docs); err != nil {
		return nil, err
	}
	if err := e.learn(ctx, b, docs); err != nil {
		return nil, err
	}
	return b, b.sort(docs)
}

// parseAll reads a batch; at says where each id comes from.
func parseAll(submissions []Submission) (docs []parsed, at map[string]string, err error) {
	docs, at = make([]parsed, len(submissions)), map[string]string{}
	for i, s := range submissions {
		p, err := parse(s)
		if err != nil {
			return nil, nil, err
		}
		if other, twice := at[p.ID]; twice {
			return nil, nil, fmt.Errorf("%w: %s and %s have the same id %s: give one of them another with --id", workflow.ErrBadInput, other, s.Source, p.ID)
		}
		at[p.ID], docs[i] = s.Source, p
	}
	return docs, at, nil
}

func parse(s Submission) (parsed, error) {
	doc, err := prp.Parse(s.Source, s.Text)
	if err != nil {
		return parsed{}, fmt.Errorf("%w: %w", workflow.ErrBadInput, err)
	}
	p := parsed{Submission: s, doc: doc}
	if p.ID == "" {
		p.ID = doc.ID
	}
	if p.ID == "" {
		p.ID = prp.Slug(s.Source)
	}
	if err := prp.CheckID(p.ID); err != nil {
		return parsed{}, fmt.Errorf("%w: %s: %w", workflow.ErrBadInput, s.Source, err)
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

// resolve writes the dependencies of a batch as the ids of PRPs: a document may
// name another one by its file. What names nobody stays as it is.
func (e *Engine) resolve(ctx context.Context, docs []parsed) error {
	ids := map[string]string{} // of the batch: id or name of the file -> id
	for _, p := range docs {
		base := filepath.Base(p.Source)
		ids[strings.TrimSuffix(base, filepath.Ext(base))] = p.ID
	}
	for _, p := range docs {
		ids[p.ID] = p.ID
	}
	var ask []string
	for _, p := range docs {
		for _, t := range p.tokens {
			if ids[t] == "" {
				ask = append(ask, prp.Names(t)...)
			}
		}
	}
	if len(ask) > 0 {
		ask = sortedUnique(ask)
		known, _, err := e.cfg.Store.LoadMany(ctx, ask)
		if err != nil {
			return err
		}
		for i, id := range ask {
			if known[i].ID != "" && ids[id] == "" {
				ids[id] = id
			}
		}
	}
	for i := range docs {
		docs[i].tokens = resolved(docs[i].tokens, ids)
	}
	return nil
}

func resolved(tokens []string, ids map[string]string) []string {
	out := make([]string, 0, len(tokens))
	for _, t := range tokens {
		for _, name := range prp.Names(t) {
			if ids[name] != "" {
				t = ids[name]
				break
			}
		}
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// learn reads the batch's records and, a generation at a time, all that they
// lead to: a cycle may close outside of the batch.
func (e *Engine) learn(ctx context.Context, b *batch, docs []parsed) error {
	next := slices.Collect(maps.Keys(b.at))
	for _, p := range docs {
		next = append(next, p.tokens...)
	}
	for len(next) > 0 {
		ids := sortedUnique(next)
		read, now, err := e.cfg.Store.LoadMany(ctx, ids)
		if err != nil {
			return err
		}
		b.now, next = now, nil
		for i, r := range read {
			b.known[ids[i]] = r
		}
		for i, r := range read {
			if _, ours := b.at[ids[i]]; ours {
				continue // what it depends on is what its document says now
			}
			for _, dep := range r.DependsOn {
				if _, there := b.known[dep]; !there {
					next = append(next, dep)
				}
			}
		}
	}
	return nil
}

// sort puts dependencies first, and refuses cycles.
func (b *batch) sort(docs []parsed) error {
	byID := make(map[string]*parsed, len(docs))
	for i := range docs {
		byID[docs[i].ID] = &docs[i]
	}
	const onPath, done = 1, 2
	state := map[string]int{}
	var path []string
	var visit func(id string) error
	visit = func(id string) error {
		switch state[id] {
		case onPath:
			cycle := append(slices.Clone(path[slices.Index(path, id):]), id)
			return fmt.Errorf("%w: there is a dependency cycle: %s", workflow.ErrBadInput, strings.Join(cycle, " -> "))
		case done:
			return nil
		}
		state[id] = onPath
		path = append(path, id)
		p, next := byID[id], b.known[id].DependsOn
		if p != nil {
			next = p.tokens
		}
		for _, dep := range next {
			if err := visit(dep); err != nil {
				return err
			}
		}
		path = path[:len(path)-1]
		state[id] = done
		if p != nil {
			b.order = append(b.order, *p)
		}
		return nil
	}
	for i := range docs {
		if err := visit(docs[i].ID); err != nil {
			return err
		}
	}
	return nil
}

// record is the record of a document that nobody has decided on yet.
func (b *batch) record(p parsed) workflow.Record {
	rec := workflow.Record{
		ID: p.ID, Title: p.doc.Title, Document: p.doc.SHA256, Revision: 1, Priority: p.Priority, Repo: p.Repo, Source: p.Source,
	}
	for _, f := range p.doc.Lint() {
		if f.Error {
			rec.Findings = append(rec.Findings, f.Message)
		}
	}
	for _, token := range p.tokens {
		if _, inBatch := b.at[token]; inBatch || b.known[token].ID != "" {
			rec.DependsOn = append(rec.DependsOn, token)
		} else {
			rec.Unresolved = append(rec.Unresolved, token)
		}
	}
	rec.BlockedBy = slices.Clone(rec.DependsOn)
	return rec
}
