package workflow

import (
	"fmt"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Events of the history that are no edges.
const (
	EventSubmitted  = "submitted"
	EventRevise     = "revised"
	EventRedeliver  = "redeliver"
	EventHandedBack = "handed_back"
	EventLeaseLost  = "lease_lost"
	EventDropped    = "dead_letter_dropped"
)

// Lose takes the job from a holder that is gone, and publishes it again.
func Lose(c Context, rec Record, reason string) (Change, error) {
	d := begin(c, rec)
	if d.rec.Stage.Lost++; d.rec.Stage.Lost >= MaxLost {
		in := Input{Actor: ActorEngine, Reason: fmt.Sprintf("its agent died %d times at it", d.rec.Stage.Lost)}
		if err := d.giveUp(in, CauseLost); err != nil {
			return Change{}, err
		}
		return d.done()
	}
	return d.redeliver(EventRedeliver, reason)
}

// HandBack publishes the job of a run again that was interrupted on purpose, or could
// not be started: it costs nothing. The reason follows the agent's name.
func HandBack(c Context, rec Record, run tasks.Run, reason string) (t Change, save bool, err error) {
	if !rec.Holds(run) {
		return t, false, nil
	}
	d := begin(c, rec)
	d.rec.Stage.Runs--
	t, err = d.redeliver(EventHandedBack, cut(run.Agent+" "+reason))
	return t, err == nil, err
}

// Redeliver publishes a job that nobody has claimed again, under a new fence.
// agent is who it is for, "" leaves that to the router.
func Redeliver(c Context, rec Record, job, agent, reason string) (t Change, save bool, err error) {
	w := rec.Stage.Work
	if w == nil || w.Job.ID != job || w.Holder != nil || rec.Paused {
		return t, false, nil
	}
	d := begin(c, rec)
	t, err = d.redeliver(EventRedeliver, reason)
	if err == nil && agent != "" {
		t.give(agent)
	}
	return t, err == nil, err
}

// give aims the job of the change at an agent.
func (c *Change) give(agent string) {
	if to := c.Record.Job(); to != nil {
		to.Agent, to.Sticky, to.Queue = agent, false, tasks.AgentQueue(agent, to.Priority)
		c.aim(*to)
	}
}

func (d *draft) redeliver(event, reason string) (Change, error) {
	d.rec.Stage.Work = nil
	d.remark(Input{Event: event, Actor: ActorEngine, Reason: reason})
	return d.done()
}

// aim tells the change where its job goes.
func (c *Change) aim(job tasks.Job) {
	if to := c.Record.Job(); to != nil && to.ID == job.ID {
		*to = job
	}
	if c.Publish.Job == job.ID {
		c.Publish.Queue = job.Queue
	}
	for i, e := range c.Outbox {
		if e.Kind == SendTask && e.Task != nil && e.Task.ID == job.ID {
			aimed := job
			c.Outbox[i].Task = &aimed
		}
	}
}

// Unrouted is the job of the change that has no queue yet, nil for none.
func (c *Change) Unrouted() *tasks.Job {
	if job := c.Record.Job(); job != nil && job.ID == c.Publish.Job && job.Queue == "" {
		return job
	}
	return nil
}

// Route tells the change to whom its job goes: an agent, or "" for the queue of
// the role. sticky is an agent that had the PRP before.
func (c *Change) Route(agent string, sticky bool) {
	job := *c.Record.Job()
	job.Agent, job.Sticky, job.Queue = agent, sticky, tasks.RoleQueue(job.Role)
	if agent != "" {
		job.Queue = tasks.AgentQueue(agent, job.Priority)
	}
	c.aim(job)
}

// Archived gives up a PRP whose task an operator has archived.
func Archived(c Context, rec Record, job string) (t Change, save bool, err error) {
	w := rec.Stage.Work
	if w == nil || w.Job.ID != job || w.Holder != nil {
		return t, false, nil
	}
	d := begin(c, rec)
	d.by = job // it is in the archive, and stays there
	if err := d.giveUp(Input{Actor: ActorEngine, Reason: "its task was archived by an operator", Job: job}, CauseArchived); err != nil {
		return t, false, err
	}
	d.rec.Stage.Letter = ""
	t, err = d.done()
	return t, err == nil, err
}

// Hopeless gives up a PRP whose job nobody can do, since its document cannot be
// read.
func Hopeless(c Context, rec Record, run tasks.Run, reason string) (t Change, save bool, err error) {
	if !rec.Holds(run) {
		return t, false, nil
	}
	d := begin(c, rec)
	if err := d.giveUp(Input{Actor: ActorEngine, Reason: reason}, CauseDocument); err != nil {
		return t, false, err
	}
	t, err = d.done()
	return t, err == nil, err
}

// LetterSeen notes where the task of a dead letter is. One that was seen in the
// archive and is run later was run by an operator.
func LetterSeen(c Context, rec Record, in tasks.TaskState) (t Change, save bool, err error) {
	id := rec.Stage.Letter
	if id == "" || in != tasks.Archived && in != tasks.Absent {
		return t, false, nil
	}
	d := begin(c, rec)
	d.rec.Stage.Letter = ""
	for i := range d.rec.Dead {
		if d.rec.Dead[i].ID == id {
			d.rec.Dead[i].Archived = in == tasks.Archived
		}
	}
	t, err = d.done()
	return t, err == nil, err
}

// Revive fires the edge that starts anew where an operator has had the broker
// run an archived task again. That task itself is stale: another is published.
func Revive(c Context, rec Record, job string) (t Change, save bool, err error) {
	for _, dead := range rec.Dead {
		if dead.ID != job || !dead.Archived {
			continue
		}
		for _, edge := range c.Lifecycle.Edges(rec.State) {
			if edge.Resets {
				d := begin(c, rec)
				d.move(edge, Input{Event: edge.Event, Actor: ActorEngine, Reason: "an operator had its archived task run again"})
				t, err = d.done()
				return t, err == nil, err
			}
		}
	}
	return t, false, nil
}

// DropLetter throws a dead letter away. Its PRP stays as it is.
func DropLetter(c Context, rec Record, id string, in Input) (t Change, save bool, err error) {
	d := begin(c, rec)
	kept := d.rec.Dead[:0:0]
	for _, l := range d.rec.Dead {
		if l.ID != id {
			kept = append(kept, l)
		}
	}
	if len(kept) == len(d.rec.Dead) {
		return t, false, nil
	}
	d.rec.Dead = kept
	if d.rec.Stage.Letter == id {
		d.rec.Stage.Letter = ""
	}
	in.Event = EventDropped
	d.remark(in)
	t, err = d.done()
	return t, err == nil, err
}

// Suspicion notes something odd about the job's run or task, and acts on it at
// the second look. "" says that all is well.
func Suspicion(c Context, rec Record, what string) (t Change, save bool, err error) {
	w := rec.Stage.Work
	if w == nil {
		return t, false, nil
	}
	switch s := w.Suspect; {
	case what == "" && s == nil:
		return t, false, nil
	case what != "" && s != nil && s.What == what && c.Now.Sub(s.At) < SecondLook:
		return t, false, nil
	case what != "" && s != nil && s.What == what && w.Holder != nil:
		t, err = Lose(c, rec, what)
		return t, err == nil, err
	case what != "" && s != nil && s.What == what:
		return Redeliver(c, rec, w.Job.ID, "", what)
	}
	d := begin(c, rec)
	d.rec.Stage.Work.Suspect = nil
	if what != "" {
		d.rec.Stage.Work.Suspect = &Suspect{What: what, At: c.Now}
	}
	t, err = d.done()
	return t, err == nil, err
}

// Overdue ends a stay that has reached its deadline: a working state is given
// up, any other is reported once.
func Overdue(c Context, rec Record) (t Change, save bool, err error) {
	if rec.Stage.Deadline.IsZero() || c.Now.Before(rec.Stage.Deadline) || rec.Paused {
		return t, false, nil
	}
	d := begin(c, rec)
	d.rec.Stage.Deadline = time.Time{}
	reason := "the deadline of the state " + rec.State + " has passed"
	if !d.state().Working() {
		d.tell("%s (%s): %s.", rec.ID, rec.Title, reason)
	} else if err := d.giveUp(Input{Actor: ActorEngine, Reason: reason}, CauseDeadline); err != nil {
		return t, false, err
	}
	t, err = d.done()
	return t, err == nil, err
}

// How long the sweep waits before it looks at a PRP.
const (
	FirstLook   = 5 * time.Second
	SecondLook  = 2 * time.Second // after something odd was seen
	LongestLook = 5 * time.Minute
)

// LookIn is the time to the next look of the sweep at a record, 0 where none is
// needed: what only waits costs no look. The outbox carries it on, and the sweep
// compares the jobs that are out with the broker as a whole.
func LookIn(r Record, now time.Time) time.Duration {
	var in time.Duration
	switch {
	case r.Suspect() != nil:
		in = SecondLook
	case r.Holder() != nil:
		in = FirstLook
	case r.Stage.Letter != "":
		in = min(max(now.Sub(r.UpdatedAt), FirstLook), LongestLook)
	}
	if !r.Stage.Deadline.IsZero() {
		if left := max(r.Stage.Deadline.Sub(now), time.Millisecond); in == 0 || left < in {
			in = left
		}
	}
	return in
}
