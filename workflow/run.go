package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/prpflow/prpflow/prp"
	"github.com/prpflow/prpflow/tasks"
)

// Claim gives a job to a run, or says that it is stale. Asked again, the same
// run gets the same answer.
func (e *Engine) Claim(ctx context.Context, claim tasks.Claim) (tasks.Assignment, error) {
	rec, _, err := e.change(ctx, claim.PRP, "", "", func(c Context, rec Record) (Transition, bool, error) {
		return decideClaim(c, rec, claim)
	})
	if err != nil {
		if errors.Is(err, ErrStale) {
			if rerr := e.revived(ctx, claim); rerr != nil {
				err = rerr
			}
		}
		return tasks.Assignment{}, asStale(err)
	}
	return e.assignment(ctx, rec)
}

// revived fires retry where an operator has had the broker run a dead letter's
// task again. That task itself is stale: the retry publishes another.
func (e *Engine) revived(ctx context.Context, claim tasks.Claim) error {
	_, _, err := e.change(ctx, claim.PRP, "", "", func(c Context, rec Record) (Transition, bool, error) {
		if !slices.ContainsFunc(rec.Dead, func(d DeadLetter) bool { return d.ID == claim.Job }) {
			return Transition{}, false, nil
		}
		for _, edge := range c.Lifecycle.Edges(rec.State) {
			if !edge.Resets {
				continue
			}
			t, err := Decide(c, rec, Input{Event: edge.Event, Actor: ActorEngine, By: ByEngine, Reason: "an operator had its archived task run again"})
			return t, true, err
		}
		return Transition{}, false, nil
	})
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return err
}

// assignment is what the record and its document tell a run.
func (e *Engine) assignment(ctx context.Context, rec Record) (tasks.Assignment, error) {
	text, spec, err := e.specs.get(ctx, e.Store, rec)
	if err != nil {
		return tasks.Assignment{}, err
	}
	return tasks.Assignment{
		Job: *rec.Job, Attempt: rec.Attempt, Title: rec.Title, Source: rec.Source,
		SHA256: rec.Document, Document: text, Criteria: spec.criteria, Gates: spec.gates,
		Reasons: rec.Reasons, Answer: rec.Answer,
	}, nil
}

// Deliver lets the result of a run count. A run that no longer holds its job
// changes nothing.
func (e *Engine) Deliver(ctx context.Context, del tasks.Delivery) (tasks.Verdict, error) {
	if err := del.Result.Validate(); err != nil {
		del.Result = tasks.Result{Outcome: tasks.Failed, Reasons: []string{err.Error()}, Usage: del.Result.Usage}
	}
	rec, now, err := e.change(ctx, del.PRP, "", "", func(c Context, rec Record) (Transition, bool, error) {
		if rec.Delivered == del.ID {
			return Transition{}, false, nil
		}
		if !holds(rec, del.Run) {
			return Transition{}, false, stale(rec, del.Run)
		}
		t, err := decideDeliver(c, rec, del)
		return t, true, err
	})
	if err != nil {
		return tasks.Verdict{}, asStale(err)
	}
	return verdict(rec, del.Job, now), nil
}

// HandBack returns a run that was interrupted on purpose: it costs nothing, and
// the job is given out again.
func (e *Engine) HandBack(ctx context.Context, run tasks.Run) error {
	_, _, err := e.change(ctx, run.PRP, "", "", func(c Context, rec Record) (Transition, bool, error) {
		if !holds(rec, run) {
			return Transition{}, false, nil
		}
		t, err := decideLost(c, rec, run.Agent+" was drained", true)
		return t, true, err
	})
	return asStale(err)
}

// Current says which of the runs in hand must stop: they no longer hold their jobs.
func (e *Engine) Current(ctx context.Context, runs []tasks.Run) ([]tasks.Run, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	ids := make([]string, len(runs))
	for i, r := range runs {
		ids[i] = r.PRP
	}
	recs, err := e.Store.LoadMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	var gone []tasks.Run
	for i, r := range runs {
		if !holds(recs[i], r) {
			gone = append(gone, r)
		}
	}
	return gone, nil
}

// PutLog keeps what a run has printed so far.
func (e *Engine) PutLog(ctx context.Context, run tasks.Run, text string) error {
	return e.Store.PutLog(ctx, run.PRP, RunLog{Run: run.ID, Job: run.Job, Agent: run.Agent, Started: run.Started, Text: text})
}

// asStale marks what trying again cannot mend, so that an agent drops its task.
func asStale(err error) error {
	if err == nil || errors.Is(err, tasks.ErrStale) {
		return err
	}
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrConflict) {
		return fmt.Errorf("%w: %w", err, tasks.ErrStale)
	}
	return err
}

// specs remembers the parsed parts of the documents that were handed out last.
type specs struct {
	mu   sync.Mutex
	seen map[string]spec
}

type spec struct {
	text            []byte
	criteria, gates json.RawMessage
}

const specsKept = 64

func (s *specs) get(ctx context.Context, store Store, rec Record) ([]byte, spec, error) {
	s.mu.Lock()
	sp, ok := s.seen[rec.Document]
	s.mu.Unlock()
	if ok {
		return sp.text, sp, nil
	}
	text, err := store.Document(ctx, rec.Document)
	if err != nil {
		return nil, sp, fmt.Errorf("%s: document: %w", rec.ID, err)
	}
	doc, err := prp.Parse(rec.Source, text)
	if err != nil {
		return nil, sp, fmt.Errorf("%s: document: %w", rec.ID, err)
	}
	sp = spec{text: text}
	if sp.criteria, err = array(doc.Criteria); err != nil {
		return nil, sp, err
	}
	if sp.gates, err = array(doc.Gates); err != nil {
		return nil, sp, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil || len(s.seen) >= specsKept {
		s.seen = map[string]spec{}
	}
	s.seen[rec.Document] = sp
	return text, sp, nil
}

// array writes a slice as a JSON array, also when it is nil.
func array[T any](v []T) (json.RawMessage, error) {
	if v == nil {
		v = []T{}
	}
	return json.Marshal(v)
}

// lost takes a job from a holder that was found gone at the time Since, if he
// still holds it. Who has claimed after that was not gone.
func (e *Engine) lost(ctx context.Context, id string, h Holder, reason string) error {
	_, _, err := e.change(ctx, id, "", "", func(c Context, rec Record) (Transition, bool, error) {
		if rec.Holder == nil || rec.Holder.Incarnation != h.Incarnation || rec.Holder.Since.After(h.Since) {
			return Transition{}, false, nil
		}
		t, err := decideLost(c, rec, reason, false)
		return t, true, err
	})
	return err
}

// reroute gives an unclaimed job out again under a new fence.
func (e *Engine) reroute(ctx context.Context, id, job, event, reason string) error {
	_, _, err := e.change(ctx, id, "", "", func(c Context, rec Record) (Transition, bool, error) {
		if rec.Job == nil || rec.Job.ID != job || rec.Holder != nil || rec.Paused {
			return Transition{}, false, nil
		}
		d := newDraft(c, rec)
		d.republish(event, reason)
		return d.done(), true, nil
	})
	return err
}
