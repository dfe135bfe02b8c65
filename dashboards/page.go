package dashboards

import (
	"bytes"
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/tasks/broker"
	"github.com/prpflow/prpflow/workflow"
)

//go:embed page.html
var pageSource string

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

// shown is what the page shows.
type shown struct {
	States  []stateCount
	PRPs    []workflow.View
	More    int
	Agents  []agentLine
	Queues  []broker.QueueInfo
	Dead    []workflow.DeadLetter
	Inboxes []inbox.Overview
	Lost    []inbox.Dead // messages that were given up
	Post    Post
	At      string
}

type stateCount struct {
	State string
	N     int
}

type agentLine struct {
	Name, Role, State, Host string
	Running, Of             int
}

// most is how many PRPs a page lists: those that move or wait come first.
const most = 500

// lettersShown is how many dead letters of each lane a page lists, the last ones.
const lettersShown = 100

// page serves the one page. It is built whole before a byte is sent, so that
// an error is an error and no half page.
func page(cfg Config) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		s, err := look(ctx, cfg)
		if err != nil {
			http.Error(w, "The store cannot be read now: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		var b bytes.Buffer
		if err := pageTemplate.Execute(&b, s); err != nil {
			http.Error(w, "The page cannot be shown: "+err.Error(), http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(b.Bytes())
	})
}

func look(ctx context.Context, cfg Config) (shown, error) {
	var s shown
	views, err := cfg.PRPs.List(ctx)
	if err != nil {
		return s, err
	}
	for _, v := range views {
		i := slices.IndexFunc(s.States, func(c stateCount) bool { return c.State == v.State })
		if i < 0 {
			i = len(s.States)
			s.States = append(s.States, stateCount{State: v.State})
		}
		s.States[i].N++
	}
	slices.SortStableFunc(views, func(a, b workflow.View) int { return rank(a) - rank(b) })
	s.More = max(0, len(views)-most)
	s.PRPs = views[:len(views)-s.More]
	agents, now, err := cfg.Agents.Agents(ctx)
	if err != nil {
		return s, err
	}
	for _, a := range agents {
		state := a.State(now)
		if state == "limited" {
			state = "limited until " + a.LimitedUntil.UTC().Format("15:04:05") + " UTC"
		} else if state == "unwell" {
			state += ": " + a.Unwell
		}
		s.Agents = append(s.Agents, agentLine{a.Name, a.Role, state, a.Host, a.Running, max(a.Concurrency, 1)})
	}
	if s.Queues, err = cfg.Queues.Infos(ctx); err != nil {
		return s, err
	}
	s.Queues = slices.DeleteFunc(s.Queues, func(q broker.QueueInfo) bool { // the three of other priorities, while nothing is in them
		return strings.Count(q.Name, ":") > 1 && q.Pending+q.Active+q.Scheduled+q.Retry+q.Archived == 0 && !q.Paused
	})
	if s.Dead, err = cfg.Counters.DeadLetters(ctx); err != nil {
		return s, err
	}
	s.Dead = s.Dead[max(0, len(s.Dead)-lettersShown):]
	if s.Inboxes, err = cfg.Inboxes.Overviews(ctx); err != nil {
		return s, err
	}
	if s.Lost, err = cfg.Inboxes.Dead(ctx); err != nil {
		return s, err
	}
	s.Lost = s.Lost[max(0, len(s.Lost)-lettersShown):]
	s.Post, err = cfg.Post(ctx)
	s.At = now.UTC().Format("2006-01-02 15:04:05") + " UTC"
	return s, err
}

func rank(v workflow.View) int {
	switch {
	case v.Running:
		return 0
	case v.Failed:
		return 1
	case v.Terminal:
		return 3
	}
	return 2
}
