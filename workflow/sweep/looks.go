package sweep

import (
	"context"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// looks looks at the PRPs whose time has come: held jobs, deadlines, suspicions
// and dead letters. Those that merely wait have no time.
func (s *Sweeper) looks(ctx context.Context, v view) error {
	for began := s.cfg.Clock(); ; {
		ids, err := s.cfg.Store.Due(ctx, page)
		if err != nil || len(ids) == 0 {
			return err
		}
		recs, now, err := s.cfg.Store.LoadMany(ctx, ids)
		if err != nil {
			return err
		}
		states, err := s.tasksOf(ctx, recs)
		if err != nil {
			return err
		}
		err = s.each(ctx, ids, func(i int) error {
			return s.look(ctx, ids[i], recs[i], now, planLook(recs[i].Record, states[i], now, v))
		})
		if err != nil || len(ids) < page || s.over(began) {
			return err
		}
	}
}

// tasksOf says where the tasks are that the looks at the records ask for.
func (s *Sweeper) tasksOf(ctx context.Context, recs []workflow.Loaded) ([]tasks.TaskState, error) {
	states := make([]tasks.TaskState, len(recs))
	var ask []tasks.JobRef
	var of []int
	for i := range recs {
		if ref := askFor(&recs[i].Record); recs[i].Err == nil && ref.Job != "" {
			ask, of = append(ask, ref), append(of, i)
		}
	}
	if len(ask) == 0 {
		return states, nil
	}
	answers, err := s.cfg.Broker.States(ctx, ask)
	if err != nil {
		return nil, err
	}
	for k, i := range of {
		states[i] = answers[k]
	}
	return states, nil
}

// askFor is the task whose place a look needs to know.
func askFor(r *workflow.Record) tasks.JobRef {
	if job := r.Job(); job != nil && r.Holder() == nil {
		return tasks.JobRef{Job: job.ID, Queue: job.Queue}
	}
	for _, l := range r.Dead {
		if l.ID == r.Stage.Letter {
			return tasks.JobRef{Job: l.ID, Queue: l.Queue}
		}
	}
	return tasks.JobRef{}
}

// verdict is what a look finds.
type verdict struct {
	overdue  bool
	suspect  bool   // say what is odd about the job, or that nothing is
	what     string // "" for nothing
	archived bool
	letter   tasks.TaskState
}

// planLook compares a record with the world.
func planLook(r workflow.Record, task tasks.TaskState, now time.Time, v view) verdict {
	job, holder := r.Job(), r.Holder()
	switch {
	case !r.Stage.Deadline.IsZero() && !now.Before(r.Stage.Deadline):
		return verdict{overdue: true}
	case holder != nil:
		return verdict{suspect: true, what: v.holderFault(*holder)}
	case job != nil && task == tasks.Archived:
		return verdict{archived: true}
	case job != nil && task == tasks.Active && !v.jobs[job.ID] && (r.Stage.Work.Retry == nil || !r.Stage.Work.Retry.At.After(now)):
		return verdict{suspect: true, what: takenNotClaimed}
	case job != nil && r.Suspect() != nil:
		return verdict{suspect: true}
	case r.Stage.Letter != "":
		return verdict{letter: task}
	}
	return verdict{}
}

const (
	takenNotClaimed = "its task was taken and not claimed"
	inNoQueue       = "its task is in no queue"
)

// look acts on what was found, and sets the time of the next look where nothing
// was to be done.
func (s *Sweeper) look(ctx context.Context, id string, rec workflow.Loaded, now time.Time, found verdict) error {
	if rec.ID == "" && rec.Err == nil { // it is gone, and never looked at again
		return s.cfg.Store.Look(ctx, id, 0, 0)
	}
	saved, err := false, rec.Err
	if err == nil {
		saved, err = s.act(ctx, rec.Record, found)
	}
	switch {
	case workflow.ClassOf(err) == workflow.Unreachable && err != nil, ctx.Err() != nil, saved:
		return err
	case err != nil:
		return s.cfg.Store.Look(ctx, id, workflow.AnyVersion, s.cry(id, err))
	}
	s.calm(id)
	return s.cfg.Store.Look(ctx, id, rec.Version, workflow.LookIn(rec.Record, now))
}

func (s *Sweeper) act(ctx context.Context, rec workflow.Record, found verdict) (saved bool, err error) {
	switch {
	case found.overdue:
		return s.cfg.Engine.Overdue(ctx, rec.ID)
	case found.archived:
		return s.cfg.Engine.Archived(ctx, rec.ID, rec.Job().ID)
	case found.suspect && (found.what != "" || rec.Suspect() != nil):
		return s.cfg.Engine.Suspect(ctx, rec.ID, rec.Job().ID, found.what)
	case found.letter != "":
		return s.cfg.Engine.LetterSeen(ctx, rec.ID, found.letter)
	}
	return false, nil
}
