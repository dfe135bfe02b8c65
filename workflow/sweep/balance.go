package sweep

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// idleBefore is how long an agent idles before it gets a busy peer's job.
const idleBefore = time.Second

// queueWatch remembers the queues from one look to the next.
type queueWatch struct {
	idle    map[string]time.Time // agent -> idle since
	orphans map[string]bool      // queues of agents that nobody serves
	taken   map[string]time.Time // job that was handed out and not claimed -> since
	odd     int                  // looks in a row at which the numbers were not the usual ones
	past    map[string]int       // queue -> jobs at its head that cannot be moved
}

// balance compares the queues with the agents, and keeps work with those who can
// do it.
func (s *Sweeper) balance(ctx context.Context, v view) error {
	queues, err := s.cfg.Broker.Queues(ctx)
	if err != nil {
		return err
	}
	if err := s.count(ctx, queues); err != nil {
		return err
	}
	if err := s.unclaimed(ctx, queues, v); err != nil {
		return err
	}
	p := newPlan(queues, v)
	orphans := map[string]bool{}
	for _, m := range p.moves() {
		if m.orphan {
			if orphans[m.queue] = true; !s.queues.orphans[m.queue] {
				continue // its agent may just have come
			}
		}
		if _, err := s.empty(ctx, m.queue, m.reason, m.choose, m.states...); err != nil {
			return err
		}
	}
	s.queues.orphans = orphans
	return s.share(ctx, p)
}

// count compares the number of jobs that are out with the number of tasks in the
// broker. Their difference is what it was when they were last compared one by
// one, unless work is under way or something was lost: twice in a row not, and
// they are compared again.
func (s *Sweeper) count(ctx context.Context, queues []tasks.QueueState) error {
	surplus, err := s.surplusOf(ctx, queues)
	if err != nil {
		return err
	}
	if s.audit.usual(surplus) {
		s.queues.odd = 0
		return nil
	}
	if s.queues.odd++; s.queues.odd > 1 {
		s.audit.ask()
	}
	return nil
}

// unclaimed publishes jobs again whose tasks were handed out and which nobody has
// claimed, and removes tasks that nobody waits for any more.
func (s *Sweeper) unclaimed(ctx context.Context, queues []tasks.QueueState, v view) error {
	taken := map[string]time.Time{}
	for _, q := range queues {
		var late []string
		for _, job := range q.Active {
			if v.jobs[job] {
				continue
			}
			since, seen := s.queues.taken[job]
			if !seen {
				since = v.now
			}
			taken[job] = since
			if v.now.Sub(since) >= workflow.SecondLook {
				late = append(late, job)
			}
		}
		if err := s.rehome(ctx, q.Name, late, takenNotClaimed, func(r workflow.Record) bool {
			return r.Stage.Work.Retry == nil || !r.Stage.Work.Retry.At.After(v.now)
		}); err != nil {
			return err
		}
	}
	s.queues.taken = taken
	return nil
}

// plan is who could do what, at one moment.
type plan struct {
	now    time.Time
	queues map[string]tasks.QueueState
	places []workflow.Place
	live   map[string]bool
}

func newPlan(queues []tasks.QueueState, v view) plan {
	p := plan{now: v.now, queues: map[string]tasks.QueueState{}, live: v.agents}
	for _, q := range queues {
		p.queues[q.Name] = q
	}
	for _, proc := range v.processes {
		if _, lives := v.beat[proc.Incarnation]; !lives || !proc.Alive(v.now) {
			continue // nothing is routed to one who is silent
		}
		for _, a := range proc.Agents {
			place := workflow.Place{Agent: a, Incarnation: proc.Incarnation, Schema: proc.Schema, Paused: map[string]bool{}}
			for _, name := range tasks.AgentQueues(a.Name) {
				q := p.queues[name]
				place.Waiting += q.Pending
				place.Paused[name] = q.Paused
			}
			p.places = append(p.places, place)
		}
	}
	return p
}

// takes says whether an agent of the role, other than that one, takes work that
// is in such a queue.
func (p plan) takes(role, but, queue string) bool {
	priority := priorityOf(queue)
	return slices.ContainsFunc(p.places, func(a workflow.Place) bool {
		return a.Role == role && a.Name != but && a.Refuses(tasks.AgentQueue(a.Name, priority), p.now) == ""
	})
}

// priorityOf is the priority of an agent's queue.
func priorityOf(queue string) string {
	for _, p := range tasks.Priorities {
		if strings.HasPrefix(queue, "agent:") && strings.HasSuffix(queue, ":"+strings.ToLower(p)) {
			return p
		}
	}
	return ""
}

// move is a queue whose work others could do.
type move struct {
	queue, reason string
	states        []tasks.TaskState
	choose        func(workflow.Record) bool
	orphan        bool
}

// moves plans which queues are emptied: those of agents that are not there, those
// of agents that take no work while another does, and those of roles for which an
// agent has come.
func (p plan) moves() []move {
	var all []move
	waiting := []tasks.TaskState{tasks.Pending, tasks.Retrying, tasks.Scheduled}
	roles := map[string]string{}
	refusal := map[string]func(queue string) string{}
	for _, a := range p.places {
		roles[a.Name] = a.Role
		refusal[a.Name] = func(queue string) string { return a.Refuses(queue, p.now) }
	}
	for _, name := range slices.Sorted(maps.Keys(p.queues)) {
		q := p.queues[name]
		if q.Pending+q.Delayed == 0 {
			continue
		}
		agent := tasks.QueueAgent(name)
		role, isRole := strings.CutPrefix(name, tasks.RoleQueue(""))
		switch {
		case isRole && !q.Paused && p.takes(role, "", ""):
			all = append(all, move{queue: name, reason: "a live " + role + " is there", states: waiting, choose: anyJob})
		case isRole, agent == "":
		case !p.live[agent]:
			all = append(all, move{queue: name, reason: "the agent " + agent + " is gone", states: waiting, choose: anyJob, orphan: true})
		case refusal[agent] == nil:
		case refusal[agent](name) != "" && p.takes(roles[agent], agent, name):
			all = append(all, move{queue: name, reason: "the agent " + agent + " " + refusal[agent](name), states: waiting, choose: p.mayMove})
		}
	}
	return all
}

// mayMove leaves a job alone that waits for its next run, unless that is for a
// limit of its agent.
func (p plan) mayMove(r workflow.Record) bool {
	retry := r.Stage.Work.Retry
	return retry == nil || retry.Parked || !retry.At.After(p.now)
}

// share gives agents that idle jobs that wait for busy peers of their role. A job
// that is to go to the agent that knows the PRP stays there.
func (s *Sweeper) share(ctx context.Context, p plan) error {
	idle := map[string]time.Time{}
	for _, a := range p.places {
		if a.Running > 0 || a.Waiting > 0 || a.Refuses("", p.now) != "" {
			continue
		}
		since, known := s.queues.idle[a.Name]
		if !known {
			since = p.now
		}
		idle[a.Name] = since
		if p.now.Sub(since) < idleBefore {
			continue
		}
		for range a.Free() {
			moved, err := s.takeFromPeer(ctx, a, p)
			if err != nil {
				return err
			}
			if !moved {
				break
			}
			delete(idle, a.Name)
		}
	}
	s.queues.idle = idle
	return nil
}

func (s *Sweeper) takeFromPeer(ctx context.Context, idle workflow.Place, p plan) (moved bool, err error) {
	for _, peer := range p.places {
		if peer.Role != idle.Role || peer.Name == idle.Name || peer.Waiting <= int64(peer.Free()) {
			continue
		}
		for _, q := range tasks.AgentQueues(peer.Name) {
			if p.queues[q].Pending == 0 || idle.Refuses(tasks.AgentQueue(idle.Name, priorityOf(q)), p.now) != "" {
				continue
			}
			if moved, err = s.takeOne(ctx, p, q, peer.Name, idle.Name); moved || err != nil {
				return moved, err
			}
		}
	}
	return false, nil
}

// takeOne moves the first job of a queue that may move. Those at its head that may
// not are passed over, also at the next look.
func (s *Sweeper) takeOne(ctx context.Context, p plan, queue, from, to string) (bool, error) {
	if s.queues.past == nil {
		s.queues.past = map[string]int{}
	}
	began := s.cfg.Clock()
	for {
		skip := s.queues.past[queue]
		jobs, err := s.cfg.Broker.List(ctx, queue, tasks.Pending, skip, page)
		if err != nil {
			return false, err
		}
		ours, recs, err := s.records(ctx, jobs)
		if err != nil {
			return false, err
		}
		for i, job := range ours {
			j := recs[i].Job()
			if recs[i].Err != nil || j == nil || j.ID != job || j.Sticky || recs[i].Holder() != nil || !p.mayMove(recs[i].Record) {
				continue
			}
			moved, err := s.cfg.Engine.Redeliver(ctx, recs[i].ID, job, to, to+" is idle, "+from+" is busy")
			if moved || err != nil {
				return moved, s.justTold(recs[i].ID, err)
			}
		}
		if len(jobs) < page || s.over(began) {
			s.queues.past[queue] = 0
			if len(jobs) == page {
				s.queues.past[queue] = skip + page
			}
			return false, nil
		}
		s.queues.past[queue] = skip + page
	}
}

// justTold tells what is wrong with one record, and goes on.
func (s *Sweeper) justTold(id string, err error) error {
	if err == nil || workflow.ClassOf(err) == workflow.Unreachable {
		return err
	}
	s.cry(id, err)
	return nil
}
