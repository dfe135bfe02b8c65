package scale

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/tasks"
)

// serviceKey is the hash role -> how long a run of it takes, in ms: a moving mean.
const serviceKey = "{scale}:service"

// What is assumed.
const (
	// DefaultTarget is within what time waiting work should be done.
	DefaultTarget = 30 * time.Minute
	// unknownService stands for the run of a role of which none was seen to end.
	unknownService = 10 * time.Minute
	// newest is the weight of the newest run in the moving mean.
	newest = 0.2
)

// Role is what is known of the work of a role.
type Role struct {
	Name    string
	Waiting int           // tasks in the role's queues and its agents'
	Running int           // runs in hand
	Agents  int           // what the live agents of the role may run at a time
	Service time.Duration // of a run; zero: not known yet
}

// Wish is how many agents a role should have.
type Wish struct {
	Role    string  `json:"role"`
	Desired int     `json:"desired"`
	Agents  int     `json:"agents"`
	Waiting int     `json:"waiting"`
	Running int     `json:"running"`
	Service float64 `json:"service_seconds"` // of a run
}

// Desired says for each role how many runs at a time would finish what waits and
// runs within the target: one at least where there is work, none where there is none.
func Desired(roles []Role, target time.Duration) []Wish {
	if target <= 0 {
		target = DefaultTarget
	}
	wishes := make([]Wish, 0, len(roles))
	for _, r := range roles {
		service := cmp.Or(r.Service, unknownService)
		work := r.Waiting + r.Running
		desired := 0
		if work > 0 {
			desired = int(math.Ceil(float64(work) * service.Seconds() / target.Seconds()))
			desired = min(max(desired, 1), work) // more agents than work would idle
		}
		wishes = append(wishes, Wish{Role: r.Name, Desired: desired, Agents: r.Agents, Waiting: r.Waiting, Running: r.Running, Service: r.Service.Seconds()})
	}
	slices.SortFunc(wishes, func(a, b Wish) int { return cmp.Compare(a.Role, b.Role) })
	return wishes
}

// Queue is how much waits in a queue of tasks.
type Queue struct {
	Name    string
	Waiting int
}

// Roles joins the queues with the agents that read them.
func Roles(queues []Queue, processes []tasks.Process, now time.Time, service map[string]time.Duration) []Role {
	roles := map[string]*Role{}
	get := func(name string) *Role {
		if roles[name] == nil {
			roles[name] = &Role{Name: name, Service: service[name]}
		}
		return roles[name]
	}
	reads := map[string]string{} // queue -> role
	for _, p := range processes {
		for _, a := range p.Agents {
			for _, q := range tasks.AgentQueues(a.Name) {
				reads[q] = a.Role
			}
			if p.Alive(now) {
				r := get(a.Role)
				r.Agents += max(a.Concurrency, 1)
				r.Running += a.Running
			}
		}
	}
	for _, q := range queues {
		role, ok := reads[q.Name]
		if !ok {
			role, ok = tasks.RoleOf(q.Name)
		}
		if ok {
			get(role).Waiting += q.Waiting
		}
	}
	list := make([]Role, 0, len(roles))
	for _, name := range slices.Sorted(maps.Keys(roles)) {
		list = append(list, *roles[name])
	}
	return list
}

// Meter measures how long runs take, from the heartbeats of processes. A run that
// is shorter than the time between two looks is not seen.
type Meter struct {
	rdb  redis.UniversalClient
	runs map[string]run
}

type run struct {
	role    string
	started time.Time
}

// NewMeter makes a meter on a client that the caller keeps and closes.
func NewMeter(rdb redis.UniversalClient) (*Meter, error) {
	if rdb == nil {
		return nil, errors.New("scale: no Redis client")
	}
	return &Meter{rdb: rdb, runs: map[string]run{}}, nil
}

// Look notes the runs in hand, and adds those that have ended since the last look to
// their role's mean.
func (m *Meter) Look(ctx context.Context, processes []tasks.Process, now time.Time) error {
	seen, roles := map[string]run{}, map[string]string{}
	for _, p := range processes {
		for _, a := range p.Agents {
			roles[a.Name] = a.Role
		}
	}
	for _, p := range processes {
		for _, r := range p.Runs {
			if p.Alive(now) && roles[r.Agent] != "" {
				seen[r.ID] = run{roles[r.Agent], r.Started}
			}
		}
	}
	ended := map[string][]time.Duration{}
	for id, r := range m.runs {
		if _, still := seen[id]; !still {
			ended[r.role] = append(ended[r.role], max(0, now.Sub(r.started)))
		}
	}
	m.runs = seen
	if len(ended) == 0 {
		return nil
	}
	means, err := Service(ctx, m.rdb)
	if err != nil {
		return err
	}
	values := []any{}
	for role, times := range ended {
		mean := means[role]
		for _, d := range times {
			if mean == 0 {
				mean = d
			}
			mean += time.Duration(newest * float64(d-mean))
		}
		values = append(values, role, mean.Milliseconds())
	}
	if err := m.rdb.HSet(ctx, serviceKey, values...).Err(); err != nil {
		return fmt.Errorf("scale: %w", err)
	}
	return nil
}

// Service is how long a run takes, by role.
func Service(ctx context.Context, rdb redis.UniversalClient) (map[string]time.Duration, error) {
	texts, err := rdb.HGetAll(ctx, serviceKey).Result()
	if err != nil {
		return nil, fmt.Errorf("scale: %w", err)
	}
	means := map[string]time.Duration{}
	for role, text := range texts {
		if ms, err := strconv.ParseInt(text, 10, 64); err == nil && ms > 0 {
			means[role] = time.Duration(ms) * time.Millisecond
		}
	}
	return means, nil
}
