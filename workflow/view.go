package workflow

import (
	"slices"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
)

// View is what a person is shown of a PRP, as `show --json` prints it.
type View struct {
	ID          string      `json:"id"`
	Title       string      `json:"title"`
	State       string      `json:"state"`
	Priority    string      `json:"priority"`
	Version     int64       `json:"version"`
	Fence       int64       `json:"fence"`
	Attempt     int         `json:"attempt"`
	Lifecycle   string      `json:"lifecycle"`
	Agent       string      `json:"agent"` // who holds it, or whose queue it waits in
	DependsOn   []string    `json:"depends_on"`
	BlockedBy   []string    `json:"blocked_by"`
	Unresolved  []string    `json:"unresolved"`
	Paused      bool        `json:"paused"`
	Why         string      `json:"why"`
	Revision    int         `json:"revision"`
	RunRevision int         `json:"run_revision,omitempty"` // of the document that the present run has
	Usage       tasks.Usage `json:"usage"`
	CreatedAt   time.Time   `json:"created_at"`
	UpdatedAt   time.Time   `json:"updated_at"`
	Findings    []string    `json:"findings,omitempty"`
	Running     bool        `json:"running"` // a run holds its job
	Terminal    bool        `json:"terminal"`
	Success     bool        `json:"success"`
	Failed      bool        `json:"failed"`            // it was given up, and may be started again
	Failure     string      `json:"failure,omitempty"` // why
}

// ViewOf shows a record. lc is its lifecycle.
func ViewOf(r Record, lc *fsm.Lifecycle, now time.Time, w World) View {
	s, _ := lc.State(r.State)
	v := View{
		ID: r.ID, Title: r.Title, State: r.State, Priority: r.Priority, Version: r.Version, Fence: r.Fence,
		Attempt: r.Attempt, Lifecycle: r.Lifecycle, DependsOn: list(r.DependsOn), BlockedBy: list(r.BlockedBy),
		Unresolved: list(r.Unresolved), Paused: r.Paused, Revision: r.Revision, Usage: r.Usage,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt, Findings: r.Findings, Running: r.Holder() != nil,
		Terminal: s.Terminal, Success: s.Success, Failed: GivenUp(lc, r.State), Failure: r.Failure,
	}
	if s.Terminal || s.Working() {
		v.BlockedBy = []string{}
	}
	if job := r.Job(); job != nil {
		v.Agent = job.Agent
	}
	if h := r.Holder(); h != nil {
		v.Agent, v.RunRevision = h.Agent, max(h.Revision, 1)
	}
	v.Why = why(&r, now, v, s.Role, w)
	return v
}

// Unreadable shows what is known of a record that cannot be read.
func Unreadable(r Record, err error) View {
	return View{
		ID: r.ID, State: r.State, Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		DependsOn: []string{}, BlockedBy: []string{}, Unresolved: []string{}, Why: err.Error(),
	}
}

// list is the slice, never nil: it is an array in JSON.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return slices.Clone(s)
}
