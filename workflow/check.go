package workflow

import (
	"errors"
	"fmt"

	"github.com/prpflow/prpflow/fsm"
)

// ErrBroken is returned for a decision whose record would break an invariant:
// a fault of this program, of which nothing is saved.
var ErrBroken = errors.New("this would break an invariant, please report it")

// Check holds a record to what must be true of it at every time.
func (r *Record) Check(lc *fsm.Lifecycle) error {
	s, known := lc.State(r.State)
	st := &r.Stage
	job, holder := r.Job(), r.Holder()
	rules := []struct {
		broken bool
		says   string
	}{
		{!known, "its state is unknown"},
		{r.Attempt < 1 || r.Fence < 1 || r.Refused < 0, "attempt, fence or refusals are too low"},
		{job != nil && job.Fence != r.Fence, "its job has another fence"},
		{job != nil && job.PRP != r.ID, "its job is another PRP's"},
		{job != nil && !s.Working(), "there is a job in a state without work"},
		{job != nil && holder == nil && r.Paused, "a job waits while it is paused"},
		{job != nil && st.Approval != nil, "there is a job while a person is to approve"},
		{job != nil && st.Merge != nil && !st.Merge.Granted, "there is a job without the merge lease"},
		{job != nil && holder != nil && st.Work.Retry != nil, "a job that is run waits for its retry"},
		{job == nil && s.Working() && !r.Paused && st.Approval == nil && (st.Merge == nil || st.Merge.Granted), "there is neither a job nor a reason to wait"},
		{job == nil && st.Merge != nil && st.Merge.Granted, "it holds the merge lease without a job"},
		{st.Merge != nil && (!s.Working() || s.Capacity == 0), "it is on a merge lease in a state without capacity"},
		{r.Paused && !st.Deadline.IsZero(), "its deadline runs while it is paused"},
		{!r.Paused && st.Left != 0, "its deadline is stopped while it is not paused"},
		{s.Terminal && (st.Work != nil || st.Merge != nil || st.Approval != nil || !st.Deadline.IsZero() || len(r.Dead) > 0), "it has ended and something is left"},
		{r.Failure != "" && !GivenUp(lc, r.State), "it has a failure and was not given up"},
		{st.Asked && r.Question() == "", "it waits for an answer to no question"},
	}
	for _, rule := range rules {
		if rule.broken {
			return fmt.Errorf("%s in %s, version %d: %w: %s", r.ID, r.State, r.Version, ErrBroken, rule.says)
		}
	}
	return nil
}

// check holds a change to the record that it follows.
func (c *Change) check(was Record, lc *fsm.Lifecycle) error {
	if err := c.Record.Check(lc); err != nil {
		return err
	}
	at := was.State
	for _, e := range c.History {
		if e.From != at {
			return fmt.Errorf("%s: %w: %s leaves %q, the history is at %q", c.Record.ID, ErrBroken, e.Event, e.From, at)
		}
		at = e.To
	}
	now, old := c.Record.Job(), was.Job()
	switch {
	case at != c.Record.State:
		return fmt.Errorf("%s: %w: the history ends in %s, the record is in %s", c.Record.ID, ErrBroken, at, c.Record.State)
	case c.Record.Fence < was.Fence:
		return fmt.Errorf("%s: %w: fence %d follows %d", c.Record.ID, ErrBroken, c.Record.Fence, was.Fence)
	case now != nil && old != nil && now.ID != old.ID && c.Record.Fence == was.Fence:
		return fmt.Errorf("%s: %w: two jobs have the fence %d", c.Record.ID, ErrBroken, was.Fence)
	}
	return nil
}
