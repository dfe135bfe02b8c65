package workflow

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// current says whether job and fence are those of the record.
func current(r Record, job string, fence int64) bool {
	return r.Job != nil && r.Job.ID == job && r.Fence == fence
}

// holds says whether the run holds the record's job.
func holds(r Record, run tasks.Run) bool {
	return current(r, run.Job, run.Fence) && r.Holder != nil &&
		r.Holder.Incarnation == run.Incarnation && r.Holder.Run == run.ID
}

func stale(r Record, run tasks.Run) error {
	return fmt.Errorf("%s: run %s of job %s: %w: %w", r.ID, run.ID, run.Job, ErrStale, tasks.ErrStale)
}

// heldAgain is how long a task waits whose job somebody else runs.
const heldAgain = 5 * time.Second

// decideClaim gives the job to a run. The second result is false where the
// claim was made before and nothing is to be saved.
func decideClaim(c Context, rec Record, claim tasks.Claim) (Transition, bool, error) {
	if !current(rec, claim.Job, claim.Fence) {
		return Transition{}, false, stale(rec, claim.Run)
	}
	if holds(rec, claim.Run) {
		return Transition{}, false, nil
	}
	if h := rec.Holder; h != nil {
		own := h.Incarnation == claim.Incarnation && !slices.Contains(claim.InHand, h.Run)
		if !own {
			// The broker has handed the task out twice. It stays, for the holder's run
			// may end with a word about it.
			return Transition{}, false, tasks.RetryAfter(heldAgain, fmt.Errorf("%s: %w", rec.ID, ErrHeld))
		}
	}
	if rec.Paused {
		return Transition{}, false, fmt.Errorf("%s: %w: %w", rec.ID, ErrPaused, tasks.ErrStale)
	}
	d := newDraft(c, rec)
	d.letGo()
	d.rec.Holder = &Holder{Incarnation: claim.Incarnation, Agent: claim.Agent, Run: claim.ID, Since: c.Now}
	d.t.Hold = claim.Incarnation
	if d.t.Release == d.t.Hold {
		d.t.Release = ""
	}
	d.rec.Runs++
	d.rec.WaitUntil, d.rec.WaitWhy, d.rec.Suspect = time.Time{}, "", nil
	if d.rec.Agents == nil {
		d.rec.Agents = map[string]string{}
	}
	d.rec.Agents[d.rec.Job.Role] = claim.Agent
	if event := d.state().Claim; event != "" {
		if err := d.fire(Input{Event: event, Actor: claim.Agent, By: ByAgent}); err != nil {
			return Transition{}, false, err
		}
	}
	return d.done(), true, nil
}

// decideDeliver lets the result of a run count, once.
func decideDeliver(c Context, rec Record, del tasks.Delivery) (Transition, error) {
	d := newDraft(c, rec)
	d.rec.Usage = d.rec.Usage.Add(del.Result.Usage)
	d.rec.Delivered = del.ID
	d.rec.Lost = 0
	in := Input{Actor: del.Agent, Job: del.Job, By: ByAgent, Evidence: del.Result.Evidence, Reason: reasonOf(del.Result)}
	var err error
	switch outcome := del.Result.Outcome; outcome {
	case tasks.Retry, tasks.Limited:
		d.wait(orDefault(time.Duration(del.Result.RetryAfter), DefaultRetryDelay), waitWhy(outcome, del))
	case tasks.Failed:
		err = d.failed(del, in)
	default:
		err = d.outcome(del, in)
	}
	if err != nil {
		return Transition{}, err
	}
	d.settle()
	return d.done(), nil
}

// outcome takes the edge that the state names for the outcome.
func (d *draft) outcome(del tasks.Delivery, in Input) error {
	in.Event = d.state().Results[string(del.Result.Outcome)]
	edge, err := d.Lifecycle.Next(d.rec.State, in.Event, d.rec.Back)
	if in.Event == "" || err != nil {
		del.Result.Reasons = []string{fmt.Sprintf("the outcome %q means nothing in the state %s", del.Result.Outcome, d.rec.State)}
		return d.failed(del, in)
	}
	missing, err := edge.Check(d.facts(in.Evidence))
	if err != nil {
		missing = []string{err.Error()}
	}
	if len(missing) > 0 {
		return d.evidenceRefused(in, missing)
	}
	switch del.Result.Outcome {
	case tasks.Done:
		if d.state().Approval {
			d.awaitPerson(in)
			return nil
		}
	case tasks.Rejected:
		in.Reasons = del.Result.Reasons
		if !d.refuse(d.state().MaxRejections) {
			return d.giveUp(del.Agent, fmt.Sprintf("rejected or refused %d times, the last time: %s", d.rec.Refused, in.Reason), "", in.Job)
		}
	case tasks.Question:
		in.Reason = del.Result.Question
	}
	d.move(edge, in)
	if del.Result.Outcome == tasks.Question {
		d.rec.Question = del.Result.Question
		d.tell(fmt.Sprintf("%s asks about %s: %s", del.Agent, d.rec.ID, del.Result.Question))
	}
	return nil
}

// awaitPerson ends the agent's part in a state where a person has the last word.
func (d *draft) awaitPerson(in Input) {
	d.letGo()
	d.rec.Job = nil
	d.rec.Fence++
	d.rec.Awaits, d.rec.Evidence = in.Event, in.Evidence
	d.rec.WaitUntil, d.rec.WaitWhy, d.rec.Suspect = time.Time{}, "", nil
	d.note(Input{Event: "approval_asked", Actor: in.Actor, Reason: in.Reason, Job: in.Job, Evidence: in.Evidence}, d.rec.State)
	d.tell(fmt.Sprintf("%s (%s) waits in %s for a person: `prpflow trigger %s %s`, or reject it.", d.rec.ID, d.rec.Title, d.rec.State, d.rec.ID, in.Event))
}

// evidenceRefused sends the job back to the same agent with what is missing.
func (d *draft) evidenceRefused(in Input, missing []string) error {
	reason := "evidence missing: " + strings.Join(missing, ", ")
	if !d.refuse(d.state().MaxRejections) {
		return d.giveUp(in.Actor, fmt.Sprintf("rejected or refused %d times, the last time: %s", d.rec.Refused, reason), "", in.Job)
	}
	d.letGo()
	d.rec.Fence++
	d.rec.Reasons = missing
	d.rec.WaitUntil, d.rec.WaitWhy, d.rec.Suspect = time.Time{}, "", nil
	d.note(Input{Event: "evidence_refused", Actor: in.Actor, Reason: reason, Job: in.Job, Evidence: in.Evidence}, d.rec.State)
	d.publish()
	return nil
}

// failed spends a retry, or gives up where none is left.
func (d *draft) failed(del tasks.Delivery, in Input) error {
	reason := reasonOf(del.Result)
	if reason == "" {
		reason = "the run failed and gave no reason"
	}
	state := d.state()
	retries, delay := DefaultRetries, orDefault(del.RetryDelay, orDefault(state.RetryDelay, DefaultRetryDelay))
	if state.Retries != nil {
		retries = *state.Retries
	}
	if del.Retries != nil {
		retries = *del.Retries
	}
	d.rec.Failures++
	if d.rec.Failures > retries {
		return d.giveUp(del.Agent, reason, CauseRetries, in.Job)
	}
	d.note(Input{Event: "run_failed", Actor: del.Agent, Reason: reason, Job: del.Job}, d.rec.State)
	d.wait(delay<<min(d.rec.Failures-1, 10), fmt.Sprintf("run %d failed: %s", d.rec.Runs, reason))
	return nil
}

// wait lets the holder go; the broker hands the same task out again.
func (d *draft) wait(delay time.Duration, why string) {
	d.letGo()
	d.rec.Suspect = nil
	if d.rec.Paused { // resume publishes it again
		d.rec.Job = nil
		d.rec.Fence++
		return
	}
	d.rec.WaitUntil, d.rec.WaitWhy = d.Now.Add(delay), why
}

// verdict tells the broker what to do with the task of a job whose result has
// been accepted. It is read off the record, so that it is the same each time.
func verdict(r Record, job string, now time.Time) tasks.Verdict {
	if r.Job != nil && r.Job.ID == job && r.Holder == nil {
		return tasks.Verdict{After: max(r.WaitUntil.Sub(now), time.Millisecond), Reason: r.WaitWhy}
	}
	for _, dead := range r.Dead {
		if dead.ID == job {
			return tasks.Verdict{Failed: true, Reason: dead.Reason}
		}
	}
	return tasks.Verdict{}
}

// decideLost takes the job from a holder that is gone. handedBack tells a run
// that was interrupted on purpose and costs nothing.
func decideLost(c Context, rec Record, reason string, handedBack bool) (Transition, error) {
	d := newDraft(c, rec)
	d.letGo()
	event := "redeliver"
	if handedBack {
		event = "handed_back"
		d.rec.Runs--
	} else if d.rec.Lost++; d.rec.Lost >= MaxLost {
		if err := d.giveUp(ActorEngine, fmt.Sprintf("its agent died %d times at it", d.rec.Lost), CauseLost, ""); err != nil {
			return Transition{}, err
		}
		return d.done(), nil
	}
	d.republish(event, reason)
	return d.done(), nil
}

func reasonOf(r tasks.Result) string {
	if len(r.Reasons) > 0 {
		return strings.Join(r.Reasons, "; ")
	}
	return r.Notes
}

func waitWhy(o tasks.Outcome, del tasks.Delivery) string {
	if o == tasks.Limited {
		return del.Agent + " is limited by its provider"
	}
	return del.Agent + " asked for another time"
}

func orDefault(d, def time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return def
}
