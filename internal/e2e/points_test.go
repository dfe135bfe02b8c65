package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// points are the places where a process dies by its own hand: before a call, or
// after it took effect and before anybody knows.
var points = []struct {
	who   string // serve or team
	point string
	brief bool // tried in every run, not only in the long one
}{
	{"serve", "receive.after", true},
	{"serve", "enqueue.before", false},
	{"serve", "enqueue.after", true},
	{"serve", "ack.before", false},
	{"serve", "ack.after", false},
	{"serve", "reap.before", false},
	{"team", "claim.before", false},
	{"team", "claim.after", true},
	{"team", "apply.before", false},
	{"team", "apply.after", true},
	{"team", "deliver.before", true}, // the result is on the disk
	{"team", "deliver.after", false},
	{"team", "enqueue.before", false},
	{"team", "enqueue.after", false},
	{"team", "ack.before", false},
	{"team", "ack.after", false},
	{"team", "acquire.before", false},
	{"team", "acquire.after", false},
	{"team", "release.before", false},
	{"team", "release.after", false},
	{"team", "dependants.before", false},
	{"team", "dependants.after", false},
}

func TestDeathAtAnyPointLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for _, p := range points {
		if !p.brief && !torture {
			continue
		}
		for nth := 1; nth <= 3; nth++ {
			if nth > 1 && !torture || nth > 2 && p.who == "serve" { // it sends what the command line left: two tasks
				continue
			}
			t.Run(fmt.Sprintf("%s dies at %s, time %d", p.who, p.point, nth), func(t *testing.T) {
				t.Parallel()
				diesAt(t, p.who, fmt.Sprintf("%s:%d", p.point, nth))
			})
		}
	}
}

func diesAt(t *testing.T, who, point string) {
	w := newWorld(t)
	addr := w.freeAddr()
	start := map[string]func(program string, env ...string) *process{
		"serve": func(program string, env ...string) *process {
			return w.startProgram(program, env, "serve", "serve", "--listen", addr)
		},
		"team": func(program string, env ...string) *process {
			return w.startProgram(program, env, "team", "agent", "run", "--config", w.agentsFile("team", 2, everybody...))
		},
	}
	other := map[string]string{"serve": "team", "team": "serve"}[who]
	start[other](built.path)
	doomed := start[who](built.faulty, "PRPFLOW_FAULT="+point)
	w.doc("batch", "PRP-1")
	w.doc("batch", "PRP-2", "PRP-1")
	w.doc("batch", "PRP-3")
	w.want(0, "submit", w.path("batch"), "--repo", "service") // one merge at a time
	select {
	case <-doomed.done:
	case <-time.After(soon):
		t.Fatalf("the point %s was never passed\n%s", point, w.logs())
	}
	start[who](built.path)
	for _, id := range []string{"PRP-1", "PRP-2", "PRP-3"} {
		w.reaches(id, "complete")
		h := w.history(id)
		h.isExactly(straight...)
		jobs := map[string]string{}
		for _, e := range h.entries {
			if e.Job != "" && jobs[e.Job] != "" {
				t.Errorf("%s: the job %s has caused %s and %s", id, e.Job, jobs[e.Job], e.Event)
			}
			jobs[e.Job] = e.Event
		}
	}
	w.eventually(soon, "nothing is left in queues and outbox", w.empty)
}

// A sweeper that dies at its work leaves it to the next.
func TestDeathOfASweeperLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for i, point := range []string{"apply.after:1", "apply.before:1", "enqueue.before:1", "enqueue.after:1", "forget.before:1", "forget.after:1", "remove.before:1", "remove.after:1"} {
		if i > 0 && !torture {
			continue
		}
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.write("do-developer-PRP-1", `[ -e "$STATE/quick" ] || { : >"$STATE/quick"; hold; }`)
			serve := func(program string, env ...string) *process {
				return w.startProgram(program, env, "serve", "serve", "--listen", w.freeAddr())
			}
			first := serve(built.path)
			team := w.agents("team", 2, everybody...)
			w.begins("PRP-1")
			first.kill() // what the team commits from now on is its own to send
			doomed := serve(built.faulty, "PRPFLOW_FAULT="+point)
			team.kill()
			select {
			case <-doomed.done:
			case <-time.After(soon):
				t.Fatalf("the point %s was never passed\n%s", point, w.logs())
			}
			serve(built.path)
			w.agents("team", 2, everybody...)
			w.reaches("PRP-1", "complete")
			w.history("PRP-1").isExactly(straight...)
			w.eventually(2*soon, "nothing is left in queues and outbox", w.empty)
		})
	}
}

// empty says whether nothing waits, runs or is still to be sent.
func (w *world) empty() bool {
	ctx, rdb := w.t.Context(), w.redis.Client()
	keys, err := rdb.Keys(ctx, "*").Result()
	if err != nil {
		return false
	}
	for _, key := range keys {
		switch {
		case strings.HasPrefix(key, "asynq:{") && (strings.HasSuffix(key, ":pending") || strings.HasSuffix(key, ":active")),
			strings.Contains(key, ":outbox:pending"), strings.Contains(key, ":outbox:taken:"):
			if rdb.LLen(ctx, key).Val() > 0 {
				return false
			}
		case strings.HasPrefix(key, "asynq:{") && (strings.HasSuffix(key, ":retry") || strings.HasSuffix(key, ":scheduled") || strings.HasSuffix(key, ":lease")),
			strings.HasPrefix(key, "prpflow:lease:"), strings.Contains(key, ":outbox:hand:"):
			if rdb.ZCard(ctx, key).Val() > 0 {
				return false
			}
		}
	}
	return true
}
