package sweep

import (
	"context"
	"sync"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// auditor says when the jobs that are out are compared with the broker.
type auditor struct {
	mu    sync.Mutex
	asked bool
	base  int64     // tasks in the broker less jobs that are out, when nothing was found wrong
	once  bool      // one audit has seen it
	sound bool      // two in a row have
	next  time.Time // no audit before
}

// usual says whether the numbers are those of the last audit that found nothing.
func (a *auditor) usual(surplus int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sound && surplus == a.base
}

// doubt has the numbers count no longer: something may have been lost.
func (a *auditor) doubt() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.once, a.sound = false, false
}

func (a *auditor) ask() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = true
}

// due says whether an audit was asked for, and its time has come.
func (a *auditor) due(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked && !now.Before(a.next)
}

// tally is what came of jobs whose tasks are in no queue.
type tally struct {
	found   int // had to be acted on
	excused int // are still in the outbox, or in the hands of a run
}

func (t tally) clean() bool { return t == tally{} }

// done notes what an audit has found, and the numbers before and after it. They are
// the usual ones once two audits in a row have found nothing: with work under way,
// one alone might count it against something that was lost meanwhile. An audit that
// finds nothing was called by such work: the more jobs are out, the longer it is
// until the next.
func (a *auditor) done(all tally, jobs int, before, after int64, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	clean := all.clean() && before == after
	again := a.once && a.base == after
	a.base, a.once, a.sound = after, clean, clean && again
	a.asked = clean && !again
	if all.found == 0 && !a.asked {
		a.next = now.Add(min(max(time.Duration(jobs)*auditPerJob, shortestAudit), longestAudit))
	}
}

const (
	shortestAudit = 2 * time.Second
	longestAudit  = time.Minute
	auditPerJob   = 15 * time.Microsecond // some three times what one costs
	auditPage     = 1000
)

// auditJobs compares every job that is out with the broker, when the numbers did
// not fit: it finds tasks that were deleted, archived or lost.
func (s *Sweeper) auditJobs(ctx context.Context, _ view) error {
	if !s.audit.due(s.cfg.Clock()) {
		return nil
	}
	before, err := s.surplus(ctx)
	if err != nil {
		return err
	}
	var all tally
	n := 0
	for cursor := ""; ; {
		jobs, next, err := s.cfg.Store.ScanPublished(ctx, cursor, auditPage)
		if err != nil {
			return err
		}
		some, err := s.auditPage(ctx, jobs)
		if err != nil {
			return err
		}
		n, all.found, all.excused = n+len(jobs), all.found+some.found, all.excused+some.excused
		if cursor = next; cursor == "" {
			break
		}
	}
	after, err := s.surplus(ctx)
	if err != nil {
		return err
	}
	s.audit.done(all, n, before, after, s.cfg.Clock())
	return nil
}

// surplus is the number of tasks in the broker less that of the jobs that are out.
func (s *Sweeper) surplus(ctx context.Context) (int64, error) {
	queues, err := s.cfg.Broker.Queues(ctx)
	if err != nil {
		return 0, err
	}
	return s.surplusOf(ctx, queues)
}

func (s *Sweeper) surplusOf(ctx context.Context, queues []tasks.QueueState) (int64, error) {
	n, err := s.cfg.Store.Published(ctx)
	n = -n
	for _, q := range queues {
		n += q.Size()
	}
	return n, err
}

// auditPage acts on what is wrong with a page of jobs.
func (s *Sweeper) auditPage(ctx context.Context, jobs []tasks.JobRef) (all tally, err error) {
	if len(jobs) == 0 {
		return all, nil
	}
	states, err := s.cfg.Broker.States(ctx, jobs)
	if err != nil {
		return all, err
	}
	var odd []string
	for i, state := range states {
		if state == tasks.Absent || state == tasks.Archived {
			odd = append(odd, jobs[i].Job)
		}
	}
	ours, recs, err := s.records(ctx, odd)
	if err != nil || len(ours) == 0 {
		return all, err
	}
	var stale []string // the store has lost a part: they are no longer those of their records, and never will be
	for i := range ours {
		if job := recs[i].Job(); recs[i].Err == nil && (job == nil || job.ID != ours[i]) {
			stale = append(stale, ours[i])
		}
	}
	if err := s.cfg.Store.Unpublish(ctx, stale); err != nil {
		return all, err
	}
	found, err := s.checkJobs(ctx, ours, recs)
	return tally{found + len(stale), len(ours) - found - len(stale)}, err
}

// checkJobs acts on jobs whose tasks are in no queue, given the records that were
// just read, and answers on how many. The order of the questions makes the answer sure: a job that is
// current and nobody's, and not in the outbox any more, was enqueued; where the
// broker does not have it after that, it is lost.
func (s *Sweeper) checkJobs(ctx context.Context, jobs []string, recs []workflow.Loaded) (found int, err error) {
	var ids []string
	var refs []tasks.JobRef
	var entries []workflow.OutboxRef
	for i, id := range jobs {
		job := recs[i].Job()
		if recs[i].Err == nil && job != nil && job.ID == id && recs[i].Holder() == nil {
			ids, refs = append(ids, recs[i].ID), append(refs, tasks.JobRef{Job: id, Queue: job.Queue})
			entries = append(entries, workflow.OutboxRef{PRP: recs[i].ID, ID: id})
		}
	}
	if len(ids) == 0 {
		return 0, nil
	}
	unsent, err := s.cfg.Store.Unsent(ctx, entries)
	if err != nil {
		return 0, err
	}
	states, err := s.cfg.Broker.States(ctx, refs)
	if err != nil {
		return 0, err
	}
	acted := make([]bool, len(ids))
	err = s.each(ctx, ids, func(i int) (err error) {
		switch {
		case unsent[i]:
		case states[i] == tasks.Absent:
			acted[i], err = s.cfg.Engine.Redeliver(ctx, ids[i], refs[i].Job, "", inNoQueue)
		case states[i] == tasks.Archived:
			acted[i], err = s.cfg.Engine.Archived(ctx, ids[i], refs[i].Job)
		}
		return err
	})
	for _, yes := range acted {
		if yes {
			found++
		}
	}
	return found, err
}
