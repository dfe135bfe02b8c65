package registry

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// entry is an agent as the registry keeps it, also when its process is gone.
type entry struct {
	tasks.Agent
	Incarnation string `json:"incarnation"`
	Host        string `json:"host"`
	PID         int    `json:"pid"`
}

// Agent is an agent that was ever registered, with its last process.
type Agent struct {
	tasks.Agent
	Incarnation string
	Host        string
	PID         int
	Gone        bool // its process is dead, has left, is silent for its gone_after, or is forgotten
}

// State is gone, limited, unwell, draining, busy or idle: the first that is true.
func (a Agent) State(now time.Time) string {
	switch {
	case a.Gone:
		return "gone"
	case a.LimitedUntil.After(now):
		return "limited"
	case a.Unwell != "":
		return "unwell"
	case a.Draining:
		return "draining"
	case a.Running > 0:
		return "busy"
	}
	return "idle"
}

// Gone says whether a process no longer counts, by the registry's clock.
func Gone(p tasks.Process, now time.Time) bool {
	return !p.Alive(now)
}

// Processes lists the processes that are not forgotten, live or not, in the
// order of their incarnations, and the time by Redis' clock. One whose entry is
// damaged has no agents and no runs; one whose last heartbeat is damaged was
// never seen. The next heartbeat repairs both.
func (r *Registry) Processes(ctx context.Context) ([]tasks.Process, time.Time, error) {
	s, err := r.read(ctx)
	return s.processes, s.now, err
}

// Agents lists every agent that was ever registered, by name, and the time by
// Redis' clock. One whose entry is damaged is left out.
func (r *Registry) Agents(ctx context.Context) ([]Agent, time.Time, error) {
	s, err := r.read(ctx)
	if err != nil {
		return nil, s.now, err
	}
	live := map[string]bool{}
	for _, p := range s.processes {
		live[p.Incarnation] = !Gone(p, s.now)
	}
	agents := []Agent{}
	for _, e := range s.agents {
		agents = append(agents, Agent{e.Agent, e.Incarnation, e.Host, e.PID, !live[e.Incarnation]})
	}
	slices.SortFunc(agents, func(a, b Agent) int { return cmp.Compare(a.Name, b.Name) })
	return agents, s.now, nil
}

// snapshot is all that is known at one moment.
type snapshot struct {
	now       time.Time
	processes []tasks.Process
	agents    []entry
	damaged   map[string]error // what cannot be read, and why
}

func (r *Registry) read(ctx context.Context) (snapshot, error) {
	keys := []string{keyBeats, keySeen, keyCount, keyLeft, keyAgents}
	answer, err := r.scripts.read.Run(ctx, r.rdb, keys).Slice()
	if err != nil {
		return snapshot{}, fmt.Errorf("registry: read: %w", err)
	}
	s, err := decode(answer)
	if err != nil {
		return snapshot{}, fmt.Errorf("registry: read: %w", err)
	}
	r.tell(s.damaged)
	return s, nil
}

func decode(answer []any) (s snapshot, err error) {
	if len(answer) != 6 {
		return s, fmt.Errorf("the script answers %d values instead of 6", len(answer))
	}
	clock, _ := answer[0].(string)
	if s.now, err = millis(clock); err != nil {
		return s, err
	}
	s.damaged = map[string]error{}
	beats, seen, count := pairs(answer[1]), pairs(answer[2]), pairs(answer[3])
	left := map[string]bool{}
	for _, v := range list(answer[4]) {
		left[v] = true
	}
	for incarnation, text := range beats {
		p, err := decodeProcess(incarnation, text)
		if err != nil {
			s.damaged["process "+incarnation] = err
		}
		if p.Seen, err = millis(seen[incarnation]); err != nil {
			s.damaged["last heartbeat of process "+incarnation] = err
		}
		p.Beats, _ = strconv.ParseInt(count[incarnation], 10, 64)
		p.Left = left[incarnation]
		p.Dead = provenDead(p)
		s.processes = append(s.processes, p)
	}
	slices.SortFunc(s.processes, func(a, b tasks.Process) int { return cmp.Compare(a.Incarnation, b.Incarnation) })
	for name, text := range pairs(answer[5]) {
		e, err := decodeAgent(name, text)
		if err != nil {
			s.damaged["agent "+name] = err
			continue
		}
		s.agents = append(s.agents, e)
	}
	return s, nil
}

// decodeProcess reads the entry of a process. Of a damaged one it gives what the
// incarnation tells, so that the process can be followed and buried.
func decodeProcess(incarnation, text string) (tasks.Process, error) {
	var p tasks.Process
	err := json.Unmarshal([]byte(text), &p)
	if err == nil && p.Incarnation != incarnation {
		err = fmt.Errorf("the entry is that of %q", p.Incarnation)
	}
	if err != nil {
		host, rest, _ := strings.Cut(incarnation, ":")
		number, _, _ := strings.Cut(rest, ":")
		pid, _ := strconv.Atoi(number)
		return tasks.Process{Incarnation: incarnation, Host: host, PID: pid}, err
	}
	return p, nil
}

func decodeAgent(name, text string) (entry, error) {
	var e entry
	err := json.Unmarshal([]byte(text), &e)
	if err == nil && e.Name != name {
		err = fmt.Errorf("the entry is that of %q", e.Name)
	}
	return e, err
}

func millis(text string) (time.Time, error) {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("time %q is no number of milliseconds", text)
	}
	return time.UnixMilli(ms).UTC(), nil
}

func list(v any) []string {
	var out []string
	values, _ := v.([]any)
	for _, v := range values {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func pairs(v any) map[string]string {
	flat := list(v)
	out := make(map[string]string, len(flat)/2)
	for i := 0; i+1 < len(flat); i += 2 {
		out[flat[i]] = flat[i+1]
	}
	return out
}
