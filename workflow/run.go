package workflow

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Current says whether job and fence are those of the record.
func (r *Record) Current(job string, fence int64) bool {
	return r.Stage.Work != nil && r.Stage.Work.Job.ID == job && r.Fence == fence
}

// Holds says whether the run holds the record's job.
func (r *Record) Holds(run tasks.Run) bool {
	h := r.Holder()
	return h != nil && r.Current(run.Job, run.Fence) && h.Incarnation == run.Incarnation && h.Run == run.ID
}

func stale(r Record, run tasks.Run) error {
	return fmt.Errorf("%s: run %s of job %s: %w: %w", r.ID, run.ID, run.Job, ErrStale, tasks.ErrStale)
}

// heldAgain is how long a task waits whose job somebody else runs.
const heldAgain = 5 * time.Second

// Claim gives the job to a run. save is false where the claim was made before
// and nothing is to be saved.
func Claim(c Context, rec Record, claim tasks.Claim) (t Change, save bool, err error) {
	if !rec.Current(claim.Job, claim.Fence) {
		return t, false, stale(rec, claim.Run)
	}
	if rec.Holds(claim.Run) {
		return t, false, nil
	}
	if h := rec.Holder(); h != nil {
		own := h.Incarnation == claim.Incarnation && !slices.Contains(claim.InHand, h.Run)
		if !own {
			// The broker has handed the task out twice. It stays, for the holder's run
			// may end with a word about it.
			return t, false, tasks.RetryAfter(heldAgain, fmt.Errorf("%s: %w", rec.ID, ErrHeld))
		}
	}
	if rec.Paused {
		return t, false, fmt.Errorf("%s: %w: %w", rec.ID, ErrPaused, tasks.ErrStale)
	}
	d := begin(c, rec)
	work := d.rec.Stage.Work
	work.Holder = &Holder{Incarnation: claim.Incarnation, Agent: claim.Agent, Run: claim.ID, Revision: rec.Revision, Since: c.Now}
	work.Retry, work.Suspect = nil, nil
	d.rec.Stage.Runs++
	if d.rec.Agents == nil {
		d.rec.Agents = map[string]string{}
	}
	d.rec.Agents[work.Job.Role] = claim.Agent
	if event := d.state().Claim; event != "" { // without its guards: an old lifecycle may have some, which would refuse it for ever
		edge, err := c.Lifecycle.Next(rec.State, event, "")
		if err != nil {
			return t, false, fmt.Errorf("%s: %w: %w", rec.ID, ErrConflict, err)
		}
		d.move(edge, Input{Event: event, Actor: claim.Agent, By: ByAgent})
	}
	t, err = d.done()
	return t, err == nil, err
}

// FailedAt says whether the agent asks for a job again at which its last run failed.
func (r *Record) FailedAt(claim tasks.Claim) bool {
	return r.Current(claim.Job, claim.Fence) && r.Holder() == nil && !r.Paused &&
		r.Stage.Work.Retry != nil && r.Stage.Work.Retry.Failed == claim.Agent
}

// Elsewhere publishes a job for another agent than the one whose run failed.
func Elsewhere(c Context, rec Record, claim tasks.Claim, agent string) (t Change, save bool, err error) {
	d := begin(c, rec)
	d.by = claim.Job // its task is in the hands of who asks, and is forgotten there
	if t, err = d.redeliver(EventRedeliver, fmt.Sprintf("%s failed at it, now it is %s's turn", claim.Agent, agent)); err == nil {
		t.give(agent)
	}
	return t, err == nil, err
}

// Deliver lets the result of a run count, once.
func Deliver(c Context, rec Record, del tasks.Delivery) (t Change, save bool, err error) {
	if rec.Delivered == del.ID {
		return t, false, nil
	}
	if !rec.Holds(del.Run) {
		return t, false, stale(rec, del.Run)
	}
	d := begin(c, rec)
	d.by = del.Job
	d.rec.Usage = d.rec.Usage.Add(del.Result.Usage)
	d.rec.Delivered = del.ID
	d.rec.Stage.Lost = 0
	in := Input{
		Actor: del.Agent, Job: del.Job, By: ByAgent, Evidence: del.Result.Evidence, Reason: reasonOf(del.Result),
		Revision: rec.Holder().Revision,
	}
	switch outcome := del.Result.Outcome; outcome {
	case tasks.Retry, tasks.Limited:
		d.wait(orDefault(time.Duration(del.Result.RetryAfter), DefaultRetryDelay), waitWhy(outcome, del))
		d.rec.Stage.Work.Retry.Parked = outcome == tasks.Limited
	case tasks.Failed:
		err = d.failed(del, in)
	default:
		err = d.outcome(del, in)
	}
	if err != nil {
		return t, false, err
	}
	t, err = d.done()
	return t, err == nil, err
}

// outcome takes the edge that the state names for the outcome.
func (d *draft) outcome(del tasks.Delivery, in Input) error {
	in.Event = d.state().Results[string(del.Result.Outcome)]
	edge, err := d.Lifecycle.Next(d.rec.State, in.Event, d.rec.Stage.Back)
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
	if d.state().Approval && del.Result.Outcome == tasks.Done || !edge.Allows(ByAgent) {
		d.awaitPerson(in)
		return nil
	}
	switch del.Result.Outcome {
	case tasks.Rejected:
		if in.Reasons = del.Result.Reasons; in.Reasons == nil {
			in.Reasons = []string{}
		}
		if !d.refuse(d.state().MaxRejections) {
			d.rec.Reasons = cutAll(in.Reasons)
			in.Reason = fmt.Sprintf("rejected or refused %d times, the last time: %s", d.rec.Refused, in.Reason)
			return d.giveUp(in, CauseRefused)
		}
	case tasks.Question:
		in.Reason = del.Result.Question
	}
	d.move(edge, in)
	if del.Result.Outcome == tasks.Question {
		d.ask(del.Agent, del.Result.Question)
	}
	return nil
}

// questionsKept bounds what a record remembers of a talkative agent.
const questionsKept = 32

func (d *draft) ask(agent, question string) {
	question = cut(question)
	d.rec.Stage.Asked = true
	d.rec.Questions = append(d.rec.Questions, tasks.Exchange{Question: question})
	if over := len(d.rec.Questions) - questionsKept; over > 0 {
		d.rec.Questions = slices.Delete(d.rec.Questions, 0, over)
	}
	d.tell("%s asks about %s: %s", agent, d.rec.ID, question)
}

// awaitPerson ends the agent's part where a person has the last word.
func (d *draft) awaitPerson(in Input) {
	d.rec.Stage.Work = nil
	d.rec.Stage.Approval = &Approval{in.Event, in.Evidence}
	event := in.Event
	in.Event = "approval_asked"
	d.remark(in)
	d.tell("%s (%s) waits in %s for a person: `prpflow trigger %s %s`, or reject it.", d.rec.ID, d.rec.Title, d.rec.State, d.rec.ID, event)
}

// refusalDelay is the pause before the run that follows the first refused one,
// then doubled: whoever answers at once without evidence would cost money at once.
const refusalDelay = time.Second

// evidenceRefused sends the job back to the same agent with what is missing.
func (d *draft) evidenceRefused(in Input, missing []string) error {
	reason := "evidence missing: " + strings.Join(missing, ", ")
	reasons := missing
	if in.Reason != "" {
		reason += " (" + in.Reason + ")"
		reasons = append(slices.Clone(missing), in.Reason)
	}
	in.Reason = reason
	d.rec.Reasons = cutAll(reasons)
	if !d.refuse(d.state().MaxRejections) {
		in.Reason = fmt.Sprintf("rejected or refused %d times, the last time: %s", d.rec.Refused, reason)
		return d.giveUp(in, CauseRefused)
	}
	in.Event = "evidence_refused"
	d.remark(in)
	d.wait(refusalDelay<<min(d.rec.Refused-1, 6), reason)
	return nil
}

// failed spends a retry, or gives up where none is left.
func (d *draft) failed(del tasks.Delivery, in Input) error {
	in.Reason = reasonOf(del.Result)
	if in.Reason == "" {
		in.Reason = "the run failed and gave no reason"
	}
	state := d.state()
	retries, delay := DefaultRetries, orDefault(del.RetryDelay, orDefault(state.RetryDelay, DefaultRetryDelay))
	if state.Retries != nil {
		retries = *state.Retries
	}
	if del.Retries != nil {
		retries = *del.Retries
	}
	d.rec.Stage.Failures++
	if d.rec.Stage.Failures > retries {
		return d.giveUp(in, CauseRetries)
	}
	in.Event, in.Evidence = "run_failed", nil
	d.remark(in)
	d.wait(delay<<min(d.rec.Stage.Failures-1, 10), fmt.Sprintf("run %d failed: %s", d.rec.Stage.Runs, in.Reason))
	d.rec.Stage.Work.Retry.Failed = del.Agent
	return nil
}

// wait ends the hold; the broker hands the same task out again.
func (d *draft) wait(delay time.Duration, why string) {
	work := d.rec.Stage.Work
	work.Holder, work.Suspect = nil, nil
	work.Retry = &Retry{At: d.Now.Add(delay), Why: cut(why)}
}

// VerdictOf tells the broker what to do with the task of a job whose result has
// been accepted. It is read off the record, so that it is the same each time.
func VerdictOf(r Record, job string, now time.Time) tasks.Verdict {
	if w := r.Stage.Work; w != nil && w.Job.ID == job && w.Holder == nil {
		if w.Retry == nil {
			return tasks.Verdict{After: time.Millisecond}
		}
		return tasks.Verdict{After: max(w.Retry.At.Sub(now), time.Millisecond), Reason: w.Retry.Why}
	}
	for _, dead := range r.Dead {
		if dead.ID == job {
			return tasks.Verdict{Failed: true, Reason: dead.Reason}
		}
	}
	return tasks.Verdict{}
}

func reasonOf(r tasks.Result) string {
	if len(r.Reasons) > 0 {
		return cut(strings.Join(r.Reasons, "; "))
	}
	return cut(r.Notes)
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
