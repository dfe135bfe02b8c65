package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// world is what a pass has seen of the processes that are not gone.
type world struct {
	beat   map[string]time.Time // incarnation -> last heartbeat
	runs   map[string]bool      // runs in hand
	agents map[string]bool
}

func newWorld(processes, gone []tasks.Process) world {
	w := world{map[string]time.Time{}, map[string]bool{}, map[string]bool{}}
	for _, p := range processes {
		if slices.ContainsFunc(gone, func(g tasks.Process) bool { return g.Incarnation == p.Incarnation }) {
			continue
		}
		w.beat[p.Incarnation] = p.Seen
		for _, r := range p.Runs {
			w.runs[r.ID] = true
		}
		for _, a := range p.Agents {
			w.agents[a.Name] = true
		}
	}
	return w
}

// newsAfter is how much younger than a claim a heartbeat must be to count as
// news of it.
const newsAfter = 3 * time.Second

// holderFault says what is wrong with who holds a job.
func (w world) holderFault(h Holder) string {
	beat, known := w.beat[h.Incarnation]
	switch {
	case !known:
		return "its process is unknown"
	case beat.Sub(h.Since) > newsAfter && !w.runs[h.Run]:
		return "its process does not run it"
	}
	return ""
}

// lookAtDue looks at the PRPs whose time has come.
func (e *Engine) lookAtDue(ctx context.Context, w world) error {
	ids, err := e.Store.Due(ctx, sweepAtMost)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := e.look(ctx, id, w); err != nil && !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("look at %s: %w", id, err)
		}
	}
	return nil
}

// look compares one record with the world, and mends what does not fit.
func (e *Engine) look(ctx context.Context, id string, w world) error {
	rec, now, err := e.load(ctx, id)
	if err != nil {
		return err
	}
	if !rec.Deadline.IsZero() && !rec.Paused && !now.Before(rec.Deadline) {
		return e.overdue(ctx, id)
	}
	what := ""
	switch {
	case rec.Paused && rec.Holder == nil:
	case rec.Holder != nil:
		what = w.holderFault(*rec.Holder)
	case rec.Job != nil:
		if what, err = e.lookAtTask(ctx, rec, w); err != nil {
			return err
		}
		if what == string(tasks.Archived) {
			return e.archived(ctx, rec)
		}
	case rec.Lease != "":
		if err := e.Acquire(ctx, id, rec.Lease, rec.Member); err != nil {
			return err
		}
	case len(rec.BlockedBy) > 0:
		if err := e.Unblock(ctx, id); err != nil {
			return err
		}
	}
	if what == "" && rec.Suspect == nil {
		return e.Store.Look(ctx, id, rec.Version, lookIn(rec, now, now.Sub(rec.UpdatedAt)))
	}
	return e.suspect(ctx, id, what)
}

// lookAtTask says what is wrong with the task of an unclaimed job.
func (e *Engine) lookAtTask(ctx context.Context, rec Record, w world) (string, error) {
	state, err := e.Broker.State(ctx, rec.Job.Queue, rec.Job.ID)
	if err != nil {
		return "", err
	}
	switch state {
	case tasks.Absent:
		pending, err := e.Store.InOutbox(ctx, rec.ID)
		if err != nil || pending {
			return "", err
		}
		return "its task is in no queue", nil
	case tasks.Active:
		return "its task was taken and not claimed", nil
	case tasks.Archived:
		return string(tasks.Archived), nil
	}
	if agent := rec.Job.Agent; agent != "" && !w.agents[agent] {
		return "its agent " + agent + " is gone", nil // nobody serves the queue, nor what is delayed in it
	}
	return "", nil
}

// suspect notes something odd, and acts on it at the second look.
func (e *Engine) suspect(ctx context.Context, id, what string) error {
	_, _, err := e.change(ctx, id, "", "", func(c Context, rec Record) (Transition, bool, error) {
		d := newDraft(c, rec)
		s := rec.Suspect
		switch {
		case what == "" && s == nil:
			return Transition{}, false, nil
		case what == "":
			d.rec.Suspect = nil
		case s == nil || s.What != what || s.Fence != rec.Fence:
			d.rec.Suspect = &Suspect{What: what, Fence: rec.Fence, At: c.Now}
		case c.Now.Sub(s.At) < SecondLook:
			return Transition{}, false, nil
		case rec.Holder != nil:
			t, err := decideLost(c, rec, what, false)
			return t, true, err
		case rec.Job != nil && !rec.Paused:
			d.republish("redeliver", what)
		default:
			d.rec.Suspect = nil
		}
		return d.done(), true, nil
	})
	return err
}

// archived fails a PRP whose task somebody archived by hand.
func (e *Engine) archived(ctx context.Context, seen Record) error {
	_, _, err := e.change(ctx, seen.ID, "", "", func(c Context, rec Record) (Transition, bool, error) {
		if rec.Job == nil || rec.Job.ID != seen.Job.ID || rec.Holder != nil {
			return Transition{}, false, nil
		}
		d := newDraft(c, rec)
		err := d.giveUp(ActorEngine, "its task was archived by an operator", CauseArchived, rec.Job.ID)
		if err != nil {
			return Transition{}, false, err
		}
		return d.done(), true, nil
	})
	return err
}

// overdue ends a stay that has reached its deadline: a working state fails, any
// other is reported once.
func (e *Engine) overdue(ctx context.Context, id string) error {
	_, _, err := e.change(ctx, id, "", "", func(c Context, rec Record) (Transition, bool, error) {
		if rec.Deadline.IsZero() || c.Now.Before(rec.Deadline) || rec.Paused {
			return Transition{}, false, nil
		}
		d := newDraft(c, rec)
		d.rec.Deadline = time.Time{}
		reason := "the deadline of the state " + rec.State + " has passed"
		if !d.state().Working() {
			d.tell(fmt.Sprintf("%s: %s.", rec.ID, reason))
		} else if err := d.giveUp(ActorEngine, reason, "", ""); err != nil {
			return Transition{}, false, err
		}
		return d.done(), true, nil
	})
	return err
}
