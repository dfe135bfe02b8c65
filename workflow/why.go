package workflow

import (
	"fmt"
	"strings"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// World is what PRPs may wait for.
type World struct {
	Live        map[string]int      // agents that live, by role
	Unavailable map[string]string   // agent -> why it takes no work now
	Deps        map[string]Loaded   // what is waited for
	Paused      map[string]bool     // queues
	Owners      map[string][]string // merge lease -> members that own it
}

// why says in one true sentence what a PRP waits for; "" while it moves.
func why(r *Record, now time.Time, v View, role string, w World) string {
	switch {
	case v.Terminal && v.Success:
		return ""
	case v.Terminal:
		return "it was " + r.State
	case r.Paused && r.Holder() != nil:
		return "paused; the run of " + r.Holder().Agent + " may still finish"
	case r.Paused:
		return "paused, until `prpflow resume " + r.ID + "`"
	case r.Holder() != nil:
		return ""
	case len(r.Findings) > 0:
		return "the document is refused by the lint: " + strings.Join(r.Findings, "; ")
	case r.Question() != "":
		return fmt.Sprintf("waiting for an answer to: %s (`prpflow answer %s TEXT`)", r.Question(), r.ID)
	case r.Stage.Approval != nil:
		return fmt.Sprintf("waiting for a person: `prpflow trigger %s %s`, since %s", r.ID, r.Stage.Approval.Event, r.UpdatedAt.UTC().Format("2006-01-02 15:04 UTC"))
	case r.Stage.Merge != nil && !r.Stage.Merge.Granted:
		return waitingForLease(r.Stage.Merge, w.Owners)
	case r.Job() != nil:
		return whyUnclaimed(r.Stage.Work, now, role, w)
	case v.Failed && r.Failure != "":
		return fmt.Sprintf("%s: %s (`prpflow retry %s` starts it again)", r.State, r.Failure, r.ID)
	case v.Failed:
		return fmt.Sprintf("%s (`prpflow retry %s` starts it again)", r.State, r.ID)
	case len(r.BlockedBy) > 0:
		return "waiting for " + waitingFor(r.BlockedBy, w.Deps)
	}
	return "waiting for a person"
}

// whyUnclaimed says why nobody has picked a job up.
func whyUnclaimed(work *Work, now time.Time, role string, w World) string {
	job := work.Job
	switch {
	case work.Retry != nil && work.Retry.At.After(now):
		return fmt.Sprintf("%s; again after %s", work.Retry.Why, tasks.Clock(work.Retry.At, now))
	case w.Paused[job.Queue]:
		return "the queue " + job.Queue + " is paused, until `prpflow queue resume " + job.Queue + "`"
	case w.Live[role] == 0:
		return "no live " + role
	case job.Agent == "":
		return "waiting for a " + role
	case w.Unavailable[job.Agent] != "":
		return job.Agent + " " + w.Unavailable[job.Agent]
	}
	return "waiting in the queue of " + job.Agent
}

func waitingForLease(m *Merge, owners map[string][]string) string {
	var held []string
	for _, member := range owners[m.Lease] {
		if member != m.Member {
			held = append(held, MemberPRP(member))
		}
	}
	says := "waiting for the merge lease of " + m.Lease
	if len(held) > 0 {
		says += ", which " + strings.Join(held, ", ") + " has"
	}
	return says
}

func waitingFor(ids []string, deps map[string]Loaded) string {
	parts := make([]string, len(ids))
	for i, id := range ids {
		parts[i] = id
		if d := deps[id]; d.State != "" {
			parts[i] += " (" + d.State + ")"
		}
	}
	return strings.Join(parts, ", ")
}
