package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// unknownAgain is how long a task waits whose claim cannot be decided by this
// program: its record or lifecycle is a newer program's, or damaged.
const unknownAgain = 30 * time.Second

// Claim gives a job to a run, or says that it is stale. Asked again, the same
// run gets the same answer. Only ErrUnavailable is worth asking again.
func (e *Engine) Claim(ctx context.Context, claim tasks.Claim) (tasks.Assignment, error) {
	lost, other := false, ""
	rec, _, err := e.change(ctx, claim.PRP, func(c workflow.Context, rec workflow.Record) (t workflow.Change, save bool, err error) {
		if lost, err = e.leaseLost(ctx, rec, claim.Run); err != nil || lost {
			return e.loseLease(c, rec, tasks.Usage{}, err)
		}
		if other = ""; rec.FailedAt(claim) {
			if other, err = e.router.another(ctx, rec.Job(), claim.Agent); err != nil || other != "" {
				return elsewhere(c, rec, claim, other, err)
			}
		}
		if lost = workflow.Unleased(c, rec, claim); lost {
			return workflow.TakeLease(c, rec, claim.Agent)
		}
		return workflow.Claim(c, rec, claim)
	})
	if err == nil && lost {
		err = fmt.Errorf("%s: the merge lease was lost: %w", claim.PRP, workflow.ErrStale)
	}
	if err == nil && other != "" {
		err = fmt.Errorf("%s: %s runs it now: %w", claim.PRP, other, workflow.ErrStale)
	}
	if errors.Is(err, workflow.ErrStale) {
		if rerr := e.revive(ctx, claim.Run); workflow.ClassOf(rerr) == workflow.Unreachable {
			err = rerr
		}
	}
	if err != nil {
		return tasks.Assignment{}, e.word(err)
	}
	a, err := e.assignment(ctx, rec)
	if err != nil && workflow.ClassOf(err) != workflow.Unreachable {
		return a, e.hopeless(ctx, claim.Run, err)
	}
	return a, err
}

func elsewhere(c workflow.Context, rec workflow.Record, claim tasks.Claim, other string, err error) (workflow.Change, bool, error) {
	if err != nil {
		return workflow.Change{}, false, err
	}
	return workflow.Elsewhere(c, rec, claim, other)
}

// leaseLost says whether a job that is current stands under a merge lease which
// its PRP no longer owns.
func (e *Engine) leaseLost(ctx context.Context, rec workflow.Record, run tasks.Run) (bool, error) {
	m := rec.Stage.Merge
	if m == nil || !rec.Current(run.Job, run.Fence) {
		return false, nil
	}
	owners, err := e.cfg.Store.LeaseMembers(ctx, m.Lease, m.Capacity)
	return err == nil && !slices.Contains(owners, m.Member), err
}

func (e *Engine) loseLease(c workflow.Context, rec workflow.Record, spent tasks.Usage, err error) (workflow.Change, bool, error) {
	if err != nil {
		return workflow.Change{}, false, err
	}
	return workflow.LoseLease(c, rec, rec.Stage.Merge.Member, spent, "the merge lease of "+rec.Stage.Merge.Lease+" is no longer its own")
}

// revive starts a PRP again whose archived task an operator has had run.
func (e *Engine) revive(ctx context.Context, run tasks.Run) error {
	_, _, err := e.change(ctx, run.PRP, func(c workflow.Context, rec workflow.Record) (workflow.Change, bool, error) {
		return workflow.Revive(c, rec, run.Job)
	})
	return err
}

// hopeless gives up the PRP of a run that cannot be told what to do. The answer
// ends the run.
func (e *Engine) hopeless(ctx context.Context, run tasks.Run, cause error) error {
	e.cfg.Log.Error("a job cannot be started, its PRP is given up", "prp", run.PRP, "err", cause)
	_, _, err := e.change(ctx, run.PRP, func(c workflow.Context, rec workflow.Record) (workflow.Change, bool, error) {
		return workflow.Hopeless(c, rec, run, cause.Error())
	})
	if err != nil {
		return e.word(err)
	}
	return fmt.Errorf("%w: %w", cause, tasks.ErrStale)
}

// assignment is what the record and its document tell a run.
func (e *Engine) assignment(ctx context.Context, rec workflow.Record) (tasks.Assignment, error) {
	text, spec, err := e.specs.get(ctx, e.cfg.Store, rec)
	if err != nil {
		return tasks.Assignment{}, err
	}
	a := tasks.Assignment{
		Job: *rec.Job(), Attempt: rec.Attempt, Title: rec.Title, Source: rec.Source,
		SHA256: rec.Document, Document: text, Criteria: spec.criteria, Gates: spec.gates,
		Reasons: rec.Reasons, Questions: rec.Questions,
	}
	if n := len(rec.Questions); n > 0 {
		a.Answer = rec.Questions[n-1].Answer
	}
	return a, nil
}

// Deliver lets the result of a run count. A run that no longer holds its job
// changes nothing.
func (e *Engine) Deliver(ctx context.Context, del tasks.Delivery) (tasks.Verdict, error) {
	if err := del.Result.Validate(); err != nil {
		del.Result = tasks.Result{Outcome: tasks.Failed, Reasons: []string{err.Error()}, Usage: del.Result.Usage}
	}
	lost := false
	rec, now, err := e.change(ctx, del.PRP, func(c workflow.Context, rec workflow.Record) (t workflow.Change, save bool, err error) {
		if lost, err = e.leaseLost(ctx, rec, del.Run); err != nil || lost {
			return e.loseLease(c, rec, del.Result.Usage, err)
		}
		return workflow.Deliver(c, rec, del)
	})
	if err == nil && lost {
		err = fmt.Errorf("%s: the merge lease was lost: %w: %w", del.PRP, workflow.ErrStale, tasks.ErrStale)
	}
	if err != nil {
		return tasks.Verdict{}, asStale(err)
	}
	return workflow.VerdictOf(rec, del.Job, now), nil
}

// HandBack returns a run that was interrupted on purpose, or could not be started: it
// costs nothing, and the job is published again.
func (e *Engine) HandBack(ctx context.Context, run tasks.Run, reason string) error {
	e.ForgetAgents() // of this one, something is new
	_, _, err := e.change(ctx, run.PRP, func(c workflow.Context, rec workflow.Record) (workflow.Change, bool, error) {
		return workflow.HandBack(c, rec, run, reason)
	})
	return asStale(err)
}

// Current says which of the runs in hand must stop: they no longer hold their
// jobs. Of a record that cannot be read nothing is known.
func (e *Engine) Current(ctx context.Context, runs []tasks.Run) ([]tasks.Run, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	ids := make([]string, len(runs))
	for i, r := range runs {
		ids[i] = r.PRP
	}
	recs, _, err := e.cfg.Store.LoadMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	var gone []tasks.Run
	for i, r := range runs {
		if recs[i].Err == nil && !recs[i].Holds(r) {
			gone = append(gone, r)
		}
	}
	return gone, nil
}

// PutLog keeps what a run has printed so far.
func (e *Engine) PutLog(ctx context.Context, run tasks.Run, text string) error {
	return e.cfg.Store.PutLog(ctx, run.PRP, workflow.RunLog{Run: run.ID, Job: run.Job, Agent: run.Agent, Started: run.Started, Text: text})
}

// word says to a runtime what an error of a claim means for its task: dropped
// where it is stale, left in its queue where this program cannot judge it.
func (e *Engine) word(err error) error {
	var later *tasks.RetryAfterError
	switch err = asStale(err); {
	case workflow.ClassOf(err) != workflow.Final, errors.Is(err, tasks.ErrStale), errors.As(err, &later),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	e.cfg.Log.Error("a claim cannot be decided, its task is left in the queue", "err", err)
	return tasks.RetryAfter(unknownAgain, err)
}

// asStale marks what trying again cannot help, so that an agent drops its task.
func asStale(err error) error {
	if err == nil || errors.Is(err, tasks.ErrStale) {
		return err
	}
	for _, final := range []error{workflow.ErrNotFound, workflow.ErrConflict, workflow.ErrStale, workflow.ErrPaused} {
		if errors.Is(err, final) {
			return fmt.Errorf("%w: %w", err, tasks.ErrStale)
		}
	}
	return err
}
