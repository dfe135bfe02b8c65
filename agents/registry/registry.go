package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
)

// ErrNameTaken says that another live process holds an agent's name; the error
// is then a *NameTakenError.
var ErrNameTaken = agents.ErrNameTaken

// NameTakenError tells who holds the name.
type NameTakenError struct {
	Name string
	Host string
	PID  int
}

func (e *NameTakenError) Error() string {
	return fmt.Sprintf("the agent name %s is held by a live process on host %s with pid %d; stop it or choose another name", e.Name, e.Host, e.PID)
}

func (e *NameTakenError) Unwrap() error { return ErrNameTaken }

// Registry keeps the live processes and their agents in Redis.
type Registry struct {
	// Log is warned of each entry that cannot be read, once. Nil discards it. Set
	// it before the registry is used.
	Log *slog.Logger

	rdb     redis.UniversalClient
	scripts scripts
	damage  damage
}

var _ agents.Registry = (*Registry)(nil)

// New makes a registry on a client that the caller keeps and closes.
func New(rdb redis.UniversalClient) (*Registry, error) {
	if rdb == nil {
		return nil, errors.New("registry: no Redis client")
	}
	s, err := load()
	return &Registry{rdb: rdb, scripts: s}, err
}

// Register claims the names of the process' agents, all or none. A name whose
// holder has left, is silent for its gone_after or proven dead changes hands.
func (r *Registry) Register(ctx context.Context, p tasks.Process) error {
	return r.beat(ctx, p)
}

// Beat shows that the process lives, with its agents and runs. A process that
// was silent for so long that another took a name gets ErrNameTaken.
func (r *Registry) Beat(ctx context.Context, p tasks.Process) error {
	return r.beat(ctx, p)
}

func (r *Registry) beat(ctx context.Context, p tasks.Process) error {
	if p.Incarnation == "" {
		return errors.New("registry: beat: no incarnation")
	}
	shown, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("registry: beat: %w", err)
	}
	dead := []string{}
	for {
		args := []any{p.Incarnation, shown, mustJSON(dead), tasks.DefaultGoneAfter.Milliseconds()}
		for _, a := range p.Agents {
			args = append(args, a.Name, mustJSON(entry{Agent: a, Incarnation: p.Incarnation, Host: p.Host, PID: p.PID}))
		}
		answer, err := r.scripts.beat.Run(ctx, r.rdb, []string{keyBeats, keySeen, keyCount, keyLeft, keyAgents}, args...).Slice()
		if err != nil {
			return fmt.Errorf("registry: beat of %s: %w", p.Incarnation, err)
		}
		if code, _ := answer[0].(int64); code > 0 {
			return nil
		}
		holder, err := taken(answer)
		if err != nil {
			return fmt.Errorf("registry: beat of %s: %w", p.Incarnation, err)
		}
		if !provenDead(holder.Process) {
			return &NameTakenError{Name: holder.name, Host: holder.Host, PID: holder.PID}
		}
		dead = append(dead, holder.Incarnation) // at most one round for each holder
	}
}

// mustJSON encodes what is known to be JSON: text and numbers.
func mustJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

type holder struct {
	tasks.Process
	name string
}

// taken reads the script's refusal. Of a holder whose entry is damaged it knows
// what the incarnation tells.
func taken(answer []any) (h holder, err error) {
	if len(answer) != 4 {
		return h, fmt.Errorf("the script answers %v", answer)
	}
	text, _ := answer[1].(string)
	h.name, _ = answer[2].(string)
	incarnation, _ := answer[3].(string)
	h.Process, _ = decodeProcess(incarnation, text)
	return h, nil
}

// Leave says good-bye: the process' names are free, its runs go elsewhere.
func (r *Registry) Leave(ctx context.Context, incarnation string) error {
	if err := r.scripts.leave.Run(ctx, r.rdb, []string{keyBeats, keyLeft}, incarnation).Err(); err != nil {
		return fmt.Errorf("registry: leave of %s: %w", incarnation, err)
	}
	return nil
}

// Forget removes a process that is gone, unless it has beaten since it was read;
// its agents stay listed.
func (r *Registry) Forget(ctx context.Context, p tasks.Process) error {
	if err := r.scripts.forget.Run(ctx, r.rdb, []string{keyBeats, keySeen, keyCount, keyLeft}, p.Incarnation, p.Beats).Err(); err != nil {
		return fmt.Errorf("registry: forget %s: %w", p.Incarnation, err)
	}
	return nil
}
