package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// SnapshotAge is how long the router trusts what it read of agents and queues.
const SnapshotAge = 500 * time.Millisecond

// router gives jobs to agents that take work: to the one that had the PRP
// before, else to the least loaded of the role. Where none takes work they wait
// for one that lives, and in the role's queue where none does.
type router struct {
	registry workflow.Registry
	broker   workflow.Broker
	clock    func() time.Time

	mu     sync.Mutex
	read   time.Time
	now    time.Time // by the registry's clock
	places []place
	turn   int
}

// place is a live agent and its load.
type place struct {
	workflow.Place
	routed int64 // by this process since the snapshot
}

func (p place) load() float64 {
	return float64(int64(p.Running)+p.Waiting+p.routed) / float64(max(p.Concurrency, 1))
}

// route tells a change where its job goes, if it has one that has no queue yet.
func (r *router) route(ctx context.Context, t *workflow.Change) error {
	job := t.Unrouted()
	if job == nil {
		return nil
	}
	agent, sticky, err := r.choose(ctx, job)
	if err != nil {
		return err
	}
	t.Route(agent, sticky)
	return nil
}

func (r *router) choose(ctx context.Context, job *tasks.Job) (agent string, sticky bool, err error) {
	if r.registry == nil {
		return "", false, nil
	}
	if err := r.refresh(ctx); err != nil {
		return "", false, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	best, bestTakes := -1, false
	n := len(r.places)
	for k := range n {
		i := (k + r.turn) % n
		p := &r.places[i]
		if p.Role != job.Role {
			continue
		}
		takes := p.Refuses(tasks.AgentQueue(p.Name, job.Priority), r.now) == ""
		if takes && p.Name == job.Agent {
			p.routed++
			return p.Name, true, nil
		}
		if best < 0 || takes && !bestTakes || takes == bestTakes && p.load() < r.places[best].load() {
			best, bestTakes = i, takes
		}
	}
	if best < 0 {
		return "", false, nil
	}
	r.turn = best + 1
	r.places[best].routed++
	return r.places[best].Name, false, nil
}

// another names the least loaded agent of a job's role, other than that one, that
// takes work; "" for none.
func (r *router) another(ctx context.Context, job *tasks.Job, than string) (string, error) {
	if r.registry == nil {
		return "", nil
	}
	if err := r.refresh(ctx); err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var best *place
	for i := range r.places {
		p := &r.places[i]
		if p.Role != job.Role || p.Name == than || p.Refuses(tasks.AgentQueue(p.Name, job.Priority), r.now) != "" {
			continue
		}
		if best == nil || p.Failing < best.Failing || p.Failing == best.Failing && p.load() < best.load() {
			best = p
		}
	}
	if best == nil {
		return "", nil
	}
	best.routed++
	return best.Name, nil
}

// refresh reads agents and queues again where what is known is old. The lock is
// not held meanwhile: a slow Redis must not stop who needs none.
func (r *router) refresh(ctx context.Context) error {
	r.mu.Lock()
	fresh := r.places != nil && r.clock().Sub(r.read) < SnapshotAge
	r.mu.Unlock()
	if fresh {
		return nil
	}
	processes, now, err := r.registry.Processes(ctx)
	if err != nil {
		return err
	}
	live, err := workflow.LivePlaces(ctx, r.broker, processes, now)
	if err != nil {
		return err
	}
	places := make([]place, len(live))
	for i, p := range live {
		places[i].Place = p
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.places, r.read, r.now = places, r.clock(), now
	return nil
}

// repos gives the repository of each agent, spelled in one way, and its role.
func (r *router) repos(ctx context.Context) (repos, roles map[string]string, err error) {
	if r.registry == nil {
		return nil, nil, nil
	}
	if err := r.refresh(ctx); err != nil {
		return nil, nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	repos, roles = map[string]string{}, map[string]string{}
	for _, p := range r.places {
		if p.Repo != "" {
			repos[p.Name], roles[p.Name] = workflow.CanonicalRepo(p.Repo), p.Role
		}
	}
	return repos, roles, nil
}

// ForgetAgents has agents and queues read again at the next choice.
func (e *Engine) ForgetAgents() {
	e.router.mu.Lock()
	defer e.router.mu.Unlock()
	e.router.read = time.Time{}
}

// unavailable says of each live agent why it takes no work now, "" where it
// does, and counts them by role.
func unavailable(processes []tasks.Process, now time.Time) (why map[string]string, live map[string]int) {
	why, live = map[string]string{}, map[string]int{}
	for _, p := range processes {
		if !p.Alive(now) {
			continue
		}
		for _, a := range p.Agents {
			why[a.Name] = workflow.Place{Agent: a, Schema: p.Schema}.Refuses("", now)
			live[a.Role]++
		}
	}
	return why, live
}

// sortedUnique sorts ids and drops doubles.
func sortedUnique(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}
