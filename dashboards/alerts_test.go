package dashboards

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/agents/registry"
	"github.com/prpflow/prpflow/reliable"
	"github.com/prpflow/prpflow/tasks"
)

// names are the alerts of one inbox.
func names(alerts []Alert) (list []string) {
	for _, a := range alerts {
		list = append(list, a.Name)
	}
	return list
}

func TestAlertsAreThereFromTheirThresholdsOn(t *testing.T) {
	t.Parallel()
	limits := Thresholds{Waiting: 10, DeadLetters: 1, Wait: time.Second, Oldest: time.Minute}
	now := time.Now()
	died := func(ago ...time.Duration) (dead []inbox.Dead) {
		for _, d := range ago {
			dead = append(dead, inbox.Dead{Message: inbox.Message{To: "a"}, At: now.Add(-d)})
		}
		return dead
	}
	for what, c := range map[string]struct {
		depth  reliable.Depth
		books  reliable.Books
		dead   []inbox.Dead
		alerts []string
	}{
		"nothing":             {},
		"at the thresholds":   {depth: reliable.Depth{Waiting: 9, Delayed: 1, Oldest: time.Minute}, dead: died(0), books: reliable.Books{Waits: reliable.Waits{0: 100}}},
		"too many":            {depth: reliable.Depth{Waiting: 10, Delayed: 1}, alerts: []string{AlertOverflow}},
		"nobody takes":        {depth: reliable.Depth{Waiting: 1, Oldest: time.Minute + 1}, books: reliable.Books{Pushed: 2, Done: 1, Waiting: 1}, alerts: []string{AlertGone}},
		"nobody ever took":    {depth: reliable.Depth{Waiting: 1, Oldest: time.Hour}},
		"paused on purpose":   {depth: reliable.Depth{Waiting: 1, Oldest: time.Hour, Paused: true}},
		"many have died":      {dead: died(time.Minute, 0), alerts: []string{AlertDead}},
		"they died yesterday": {dead: died(24*time.Hour, 0)},
		"slow":                {books: reliable.Books{Waits: reliable.Waits{60: 20}}, alerts: []string{AlertWait}},
		"slow, but few":       {books: reliable.Books{Waits: reliable.Waits{60: 19}}},
		"one is missing":      {books: reliable.Books{Pushed: 1}, alerts: []string{AlertBooks}},
		"one too many":        {books: reliable.Books{Done: 1}, alerts: []string{AlertBooks}},
	} {
		w := NewWatch(limits)
		w.Look(now.Add(-time.Minute), []inbox.Overview{{Name: "a"}}, nil, nil)
		got := w.Look(now, []inbox.Overview{{Name: "a", Depth: c.depth, Books: c.books}}, c.dead, nil)
		if !slices.Equal(names(got), c.alerts) {
			t.Errorf("%s: %+v", what, got)
		}
		off := NewWatch(Thresholds{}).Look(now, []inbox.Overview{{Name: "a", Depth: c.depth}}, c.dead, nil)
		if len(off) != 0 {
			t.Errorf("%s: turned off, and yet %+v", what, off)
		}
	}
}

func TestAlertSaysSinceWhen(t *testing.T) {
	t.Parallel()
	w, began := NewWatch(Thresholds{Waiting: 1}), time.Now()
	for minute, waiting := range []int64{2, 3, 1, 2, 2} {
		got := w.Look(began.Add(time.Duration(minute)*time.Minute), []inbox.Overview{{Name: "a", Depth: reliable.Depth{Waiting: waiting}}}, nil, nil)
		since := began
		if minute > 2 {
			since = began.Add(3 * time.Minute)
		}
		if (waiting > 1) != (len(got) == 1) || len(got) == 1 && (!got[0].Since.Equal(since) || got[0].Subject != "inbox:a") {
			t.Errorf("minute %d: %+v", minute, got)
		}
	}
}

func TestAgentThatGetsNoWorkIsAnAlertUntilItIsGoneOrWell(t *testing.T) {
	t.Parallel()
	w, now := NewWatch(Thresholds{}), time.Now()
	sick := registry.Agent{Agent: tasks.Agent{Name: "dev-1", Unwell: "no such program"}, Host: "h"}
	got := w.Look(now, nil, nil, []registry.Agent{sick, {Agent: tasks.Agent{Name: "dev-2"}}})
	if len(got) != 1 || got[0].Name != AlertUnwell || got[0].Subject != "agent:dev-1" || !strings.Contains(got[0].Text, "no such program") {
		t.Errorf("alerts: %+v", got)
	}
	sick.Gone = true
	if got := w.Look(now, nil, nil, []registry.Agent{sick}); len(got) != 0 {
		t.Errorf("of one that is gone: %+v", got)
	}
}
