package mode

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/reliable"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(redistest.Tests{M: m}, goleak.IgnoreCurrent())
}

func newSwitch(t *testing.T, rdb redis.UniversalClient, environment string) *Switch {
	t.Helper()
	s, err := New(rdb, environment)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func set(t *testing.T, s *Switch, c Change) {
	t.Helper()
	if err := s.Set(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func TestEnvironmentThenAgentThenAllThenRedis(t *testing.T) {
	t.Parallel()
	rdb := redistest.Mini(t)
	s := newSwitch(t, rdb, "")
	is := func(s *Switch, agent string, want Mode) {
		t.Helper()
		if m, err := s.Of(t.Context(), agent); m != want || err != nil {
			t.Errorf("mode of %q is %s, %v, want %s", agent, m, err, want)
		}
	}
	is(s, "dev-1", Redis)
	set(t, s, Change{Mode: Tmux, By: "me", Reason: "drill"})
	is(s, "", Tmux)
	is(s, "dev-1", Tmux)
	set(t, s, Change{Mode: Dual, Agent: "dev-1"})
	is(s, "dev-1", Dual)
	is(s, "dev-2", Tmux)
	is(newSwitch(t, rdb, "redis"), "dev-1", Redis)
	if m, err := s.Agents(t.Context()); err != nil || len(m) != 1 || m["dev-1"] != Dual {
		t.Errorf("switches of agents: %v, %v", m, err)
	}
	set(t, s, Change{Agent: "dev-1"})
	is(s, "dev-1", Tmux)
	changes, err := s.Changes(t.Context(), 10)
	if err != nil || len(changes) != 3 || changes[2].By != "me" || changes[2].Reason != "drill" || changes[2].At.IsZero() {
		t.Errorf("changes: %+v, %v", changes, err)
	}
	if !Tmux.Pane() || !Dual.Pane() || Redis.Pane() {
		t.Error("the wrong modes type into panes")
	}
}

func TestUnknownModesAreRefused(t *testing.T) {
	t.Parallel()
	rdb := redistest.Mini(t)
	if _, err := New(rdb, "pigeon"); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), Variable) {
		t.Errorf("of the environment: %v", err)
	}
	if err := newSwitch(t, rdb, "").Set(t.Context(), Change{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("no mode for all: %v", err)
	}
	if _, err := New(nil, ""); err == nil {
		t.Error("a switch without a client")
	}
}

func TestRollBackTurnsEverySwitchToTmux(t *testing.T) {
	t.Parallel()
	s := newSwitch(t, redistest.Mini(t), "")
	set(t, s, Change{Mode: Dual})
	set(t, s, Change{Mode: Redis, Agent: "dev-1"})
	for _, want := range []bool{true, false} {
		if turned, err := s.RollBack(t.Context(), Change{By: "guard"}); turned != want || err != nil {
			t.Errorf("turned: %t, %v", turned, err)
		}
	}
	for _, agent := range []string{"", "dev-1", "dev-2"} {
		if m, err := s.Of(t.Context(), agent); m != Tmux || err != nil {
			t.Errorf("%q: %s, %v", agent, m, err)
		}
	}
	if err := s.Probe(t.Context()); err != nil {
		t.Error(err)
	}
}

// night is a guard whose clock a test turns.
type night struct {
	*Guard
	*testing.T
	at    time.Time
	waits reliable.Waits
}

func newNight(t *testing.T, limits Limits) *night {
	t.Helper()
	rdb := redistest.Mini(t)
	g, err := NewGuard(rdb, newSwitch(t, rdb, ""), limits)
	if err != nil {
		t.Fatal(err)
	}
	n := &night{Guard: g, T: t, at: time.Now(), waits: reliable.Waits{}}
	g.now = func() time.Time { return n.at }
	return n
}

// look lets time pass, in which messages were delivered that had waited so many steps.
func (n *night) look(pass time.Duration, step int, messages int64, missing int64, unread error) []Found {
	n.Helper()
	n.at = n.at.Add(pass)
	n.waits[step] += messages
	counted := reliable.Waits{}
	counted.Add(n.waits)
	found, err := n.Look(n.Context(), []Books{{"inbox:a", reliable.Books{Pushed: missing, Waits: counted}}}, unread)
	if err != nil {
		n.Fatal(err)
	}
	return found
}

func (n *night) want(found []Found, condition string) {
	n.Helper()
	if condition == "" && len(found) != 0 || condition != "" && (len(found) != 1 || found[0].Condition != condition || found[0].Text == "") {
		n.Errorf("found %+v, want %q", found, condition)
	}
}

func TestGuardFindsAQueueThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	n, away := newNight(t, Limits{}), errors.New("no answer")
	n.want(n.look(time.Minute, 0, 0, 0, nil), "")
	n.want(n.look(5*time.Minute, 0, 0, 0, away), "")
	n.want(n.look(time.Second, 0, 0, 0, away), Unavailable)
	n.want(n.look(time.Minute, 0, 0, 0, nil), "")
	n.want(n.look(time.Minute, 0, 0, 0, away), "")
}

func TestGuardFindsMissingMessages(t *testing.T) {
	t.Parallel()
	n := newNight(t, Limits{})
	n.want(n.look(time.Minute, 0, 0, 1, nil), Imbalance)
	n.want(n.look(time.Minute, 0, 0, 0, nil), "")
}

func TestGuardComparesWithTheFirstHourAfterTheSwitch(t *testing.T) {
	t.Parallel()
	n := newNight(t, Limits{})
	n.look(0, 10, 1000, 0, nil) // before the hour began
	for range 60 {
		n.want(n.look(time.Minute, 10, 10, 0, nil), "")
	}
	n.want(n.look(time.Minute, 12, 10, 0, nil), "") // slower, but below the floor
	for range 9 {
		n.want(n.look(time.Minute, 11, 10, 0, nil), "")
	}
	n.want(n.look(time.Minute, 25, 200, 0, nil), Slow)
	n.want(n.look(time.Minute, 10, 1, 0, nil), Slow) // still in the window
	n.want(n.look(20*time.Minute, 10, 1, 0, nil), "")
	// Turned to redis again, a new hour begins.
	set(t, n.sw, Change{Mode: Redis})
	n.at = time.Now().Add(time.Second)
	n.want(n.look(time.Second, 30, 200, 0, nil), "")
	for range 61 {
		n.want(n.look(time.Minute, 30, 200, 0, nil), "")
	}
}

func TestGuardSaysNothingOfAFewMessages(t *testing.T) {
	t.Parallel()
	n := newNight(t, Limits{})
	n.look(0, 1, 0, 0, nil)
	n.look(time.Hour, 1, 99, 0, nil)
	n.want(n.look(time.Minute, 30, 1000, 0, nil), "")
	if _, err := NewGuard(nil, nil, Limits{}); err == nil {
		t.Error("a guard of nothing")
	}
}
