package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
)

// View is what a person is shown of a PRP, as `show --json` prints it.
type View struct {
	ID         string      `json:"id"`
	Title      string      `json:"title"`
	State      string      `json:"state"`
	Priority   string      `json:"priority"`
	Version    int64       `json:"version"`
	Fence      int64       `json:"fence"`
	Attempt    int         `json:"attempt"`
	Lifecycle  string      `json:"lifecycle"`
	Agent      string      `json:"agent"` // who holds it, or whose queue it waits in
	DependsOn  []string    `json:"depends_on"`
	BlockedBy  []string    `json:"blocked_by"`
	Unresolved []string    `json:"unresolved"`
	Paused     bool        `json:"paused"`
	Why        string      `json:"why"`
	Revision   int         `json:"revision"`
	Usage      tasks.Usage `json:"usage"`
	CreatedAt  time.Time   `json:"created_at"`
	UpdatedAt  time.Time   `json:"updated_at"`
	Findings   []string    `json:"findings,omitempty"`
	Running    bool        `json:"running"` // somebody holds its job
	Terminal   bool        `json:"terminal"`
	Success    bool        `json:"success"`
	Failed     bool        `json:"failed"` // it was given up, and may be given out again
}

// Show gives the view of one PRP.
func (e *Engine) Show(ctx context.Context, id string) (View, error) {
	rec, now, err := e.load(ctx, id)
	if err != nil {
		if errors.Is(err, ErrNotFound) {
			return View{}, fmt.Errorf("no PRP %s is known: `prpflow list` shows those that are: %w", id, ErrNotFound)
		}
		return View{}, err
	}
	w, err := e.waits(ctx, []Record{rec})
	if err != nil {
		return View{}, err
	}
	return e.view(ctx, rec, now, w)
}

// List gives the views of all PRPs, oldest first.
func (e *Engine) List(ctx context.Context) ([]View, error) {
	recs, err := e.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	w, err := e.waits(ctx, recs)
	if err != nil {
		return nil, err
	}
	views := make([]View, len(recs))
	for i, rec := range recs {
		if views[i], err = e.view(ctx, rec, time.Now(), w); err != nil {
			return nil, err
		}
	}
	return views, nil
}

// History gives the history of a PRP.
func (e *Engine) History(ctx context.Context, id string) ([]Entry, error) {
	if _, _, err := e.load(ctx, id); err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil, fmt.Errorf("no PRP %s is known: `prpflow list` shows those that are: %w", id, ErrNotFound)
		}
		return nil, err
	}
	return e.Store.History(ctx, id)
}

func (e *Engine) view(ctx context.Context, r Record, now time.Time, w waits) (View, error) {
	lc, err := e.lifecycle(ctx, r.Lifecycle)
	if err != nil {
		return View{}, err
	}
	s, _ := lc.State(r.State)
	v := View{
		ID: r.ID, Title: r.Title, State: r.State, Priority: r.Priority, Version: r.Version, Fence: r.Fence,
		Attempt: r.Attempt, Lifecycle: r.Lifecycle, DependsOn: list(r.DependsOn), BlockedBy: list(r.BlockedBy),
		Unresolved: list(r.Unresolved), Paused: r.Paused, Revision: r.Revision, Usage: r.Usage,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Findings: r.Findings,
		Running: r.Holder != nil, Terminal: s.Terminal, Success: s.Success, Failed: givenUp(lc, r.State),
	}
	if s.Terminal || s.Working() {
		v.BlockedBy = []string{}
	}
	switch {
	case r.Holder != nil:
		v.Agent = r.Holder.Agent
	case r.Job != nil:
		v.Agent = r.Job.Agent
	}
	v.Why = why(r, now, v, s.Role, w)
	return v, nil
}

// givenUp tells a state such as failed by the edge that starts anew.
func givenUp(lc *fsm.Lifecycle, state string) bool {
	return slices.ContainsFunc(lc.Edges(state), func(e fsm.Edge) bool { return e.Resets })
}

// why says in one true sentence what a PRP waits for; "" while it moves.
func why(r Record, now time.Time, v View, role string, w waits) string {
	switch {
	case v.Terminal && v.Success:
		return ""
	case v.Terminal:
		return "it was " + r.State
	case r.Paused && r.Holder != nil:
		return "paused; the run of " + r.Holder.Agent + " may still finish"
	case r.Paused:
		return "paused, until `prpflow resume " + r.ID + "`"
	case r.Holder != nil:
		return ""
	case len(r.Findings) > 0:
		return "the document is refused by the lint: " + strings.Join(r.Findings, "; ")
	case len(r.BlockedBy) > 0:
		return "waiting for " + waitingFor(r.BlockedBy, w.deps)
	case r.Question != "":
		return "waiting for an answer to: " + r.Question
	case r.Awaits != "":
		return fmt.Sprintf("waiting for a person to %s it, since %s", r.Awaits, r.UpdatedAt.UTC().Format("2006-01-02 15:04 UTC"))
	case r.Lease != "" && !r.Granted:
		return "waiting for the merge lease of " + r.Lease
	case r.WaitUntil.After(now):
		return fmt.Sprintf("%s; again after %s", r.WaitWhy, r.WaitUntil.UTC().Format("15:04:05"))
	case r.Job != nil && w.paused[r.Job.Queue]:
		return "the queue " + r.Job.Queue + " is paused, until `prpflow queue resume " + r.Job.Queue + "`"
	case r.Job != nil && w.agents[role] == 0:
		return "no live " + role
	case r.Job != nil && r.Job.Agent != "":
		return "waiting in the queue of " + r.Job.Agent
	case r.Job != nil:
		return "waiting for a " + role
	case len(r.Dead) > 0:
		return r.State + ": " + r.Dead[len(r.Dead)-1].Reason
	}
	return "waiting for a person"
}

func waitingFor(ids []string, deps map[string]Record) string {
	parts := make([]string, len(ids))
	for i, id := range ids {
		parts[i] = id
		if d, ok := deps[id]; ok && d.State != "" {
			parts[i] += " (" + d.State + ")"
		}
	}
	return strings.Join(parts, ", ")
}

// waits is what PRPs may wait for.
type waits struct {
	agents map[string]int    // live ones, by role
	deps   map[string]Record // what is waited for
	paused map[string]bool   // queues
}

// waits reads what the records may wait for.
func (e *Engine) waits(ctx context.Context, recs []Record) (w waits, err error) {
	if w.agents, err = e.liveByRole(ctx); err != nil {
		return w, err
	}
	if w.deps, err = e.dependencies(ctx, recs); err != nil {
		return w, err
	}
	var queues []string
	for _, r := range recs {
		if r.Job != nil && r.Holder == nil && !slices.Contains(queues, r.Job.Queue) {
			queues = append(queues, r.Job.Queue)
		}
	}
	if e.Broker != nil && len(queues) > 0 {
		w.paused, err = e.Broker.PausedOf(ctx, queues)
	}
	return w, err
}

// dependencies reads what the records wait for.
func (e *Engine) dependencies(ctx context.Context, recs []Record) (map[string]Record, error) {
	var ids []string
	for _, r := range recs {
		for _, id := range r.BlockedBy {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	deps, err := e.Store.LoadMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	m := make(map[string]Record, len(deps))
	for i, d := range deps {
		m[ids[i]] = d
	}
	return m, nil
}

// liveByRole counts the agents that live, by role.
func (e *Engine) liveByRole(ctx context.Context) (map[string]int, error) {
	n := map[string]int{}
	if e.Registry == nil {
		return n, nil
	}
	processes, now, err := e.Registry.Processes(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range livePlaces(processes, now) {
		n[p.Role]++
	}
	return n, nil
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// now is the store's clock.
func (e *Engine) now(ctx context.Context, id string) (time.Time, error) {
	_, now, err := e.Store.Load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return now, err
}
