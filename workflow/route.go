package workflow

import (
	"context"
	"sync"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// snapshotAge is how long the router trusts what it read of agents and queues.
const snapshotAge = 500 * time.Millisecond

// router gives jobs to agents: to the one that had the PRP before, else to the
// least loaded of the role, else to the role's queue.
type router struct {
	registry Registry
	broker   Broker
	clock    func() time.Time

	mu     sync.Mutex
	read   time.Time
	agents []place
	turn   int
}

// place is a live agent and its load.
type place struct {
	tasks.Agent
	incarnation string
	waiting     int64
	routed      int64 // by this process since the snapshot
}

func (p place) load() float64 {
	return float64(int64(p.Running)+p.waiting+p.routed) / float64(max(p.Concurrency, 1))
}

// route fills in agent and queue of every job that has none.
func (r *router) route(ctx context.Context, t *Transition) error {
	for i := range t.Outbox {
		job := t.Outbox[i].Task
		if t.Outbox[i].Kind != SendTask || job == nil || job.Queue != "" {
			continue
		}
		agent, sticky, err := r.choose(ctx, job.Role, job.Agent)
		if err != nil {
			return err
		}
		job.Agent, job.Sticky = agent, sticky
		job.Queue = tasks.RoleQueue(job.Role)
		if agent != "" {
			job.Queue = tasks.AgentQueue(agent, job.Priority)
		}
		if t.Record.Job != nil && t.Record.Job.ID == job.ID {
			*t.Record.Job = *job
		}
	}
	return nil
}

func (r *router) choose(ctx context.Context, role, before string) (agent string, sticky bool, err error) {
	if r.registry == nil {
		return "", false, nil
	}
	if err := r.refresh(ctx); err != nil {
		return "", false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	best := -1
	n := len(r.agents)
	for k := range n {
		i := (k + r.turn) % n
		p := &r.agents[i]
		if p.Role != role || p.Draining {
			continue
		}
		if p.Name == before {
			p.routed++
			return p.Name, true, nil
		}
		if best < 0 || p.load() < r.agents[best].load() {
			best = i
		}
	}
	if best < 0 {
		return "", false, nil
	}
	r.turn = best + 1
	r.agents[best].routed++
	return r.agents[best].Name, false, nil
}

// refresh reads agents and queues anew where what is known is old. The lock is
// not held meanwhile: a slow Redis must not stop who needs none.
func (r *router) refresh(ctx context.Context) error {
	r.mu.Lock()
	fresh := r.agents != nil && r.clock().Sub(r.read) < snapshotAge
	r.mu.Unlock()
	if fresh {
		return nil
	}
	processes, now, err := r.registry.Processes(ctx)
	if err != nil {
		return err
	}
	places := livePlaces(processes, now)
	if r.broker != nil && len(places) > 0 {
		var queues []string
		for _, p := range places {
			queues = append(queues, tasks.AgentQueues(p.Name)...)
		}
		waiting, err := r.broker.Waiting(ctx, queues)
		if err != nil {
			return err
		}
		for i := range places {
			for _, q := range tasks.AgentQueues(places[i].Name) {
				places[i].waiting += waiting[q]
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.agents, r.read = places, r.clock()
	return nil
}

// forget has agents and queues read anew at the next choice.
func (r *router) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.agents = nil
}

// livePlaces lists the agents of the processes that live, by the registry's clock.
func livePlaces(processes []tasks.Process, now time.Time) []place {
	places := []place{}
	for _, p := range processes {
		if !alive(p, now) {
			continue
		}
		for _, a := range p.Agents {
			places = append(places, place{Agent: a, incarnation: p.Incarnation})
		}
	}
	return places
}

func alive(p tasks.Process, now time.Time) bool {
	return !p.Dead && !p.Left && now.Sub(p.Seen) < orDefault(p.GoneAfter, DefaultGoneAfter)
}

// DefaultGoneAfter is how long a process may be silent before it counts as gone.
const DefaultGoneAfter = 6 * time.Second
