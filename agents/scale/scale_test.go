package scale

import (
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(redistest.Tests{M: m}, goleak.IgnoreCurrent())
}

func TestAsManyAsFinishTheWorkInTime(t *testing.T) {
	t.Parallel()
	for want, r := range map[int]Role{
		0:  {},
		1:  {Waiting: 1, Service: time.Second},
		2:  {Waiting: 5, Running: 1, Service: 10 * time.Minute},
		3:  {Waiting: 3, Service: time.Hour}, // never more than there is work
		10: {Waiting: 30},                    // a run is believed to take ten minutes
	} {
		if got := Desired([]Role{r}, 30*time.Minute); got[0].Desired != want {
			t.Errorf("%+v calls for %d, want %d", r, got[0].Desired, want)
		}
	}
	if got := Desired([]Role{{Name: "b"}, {Name: "a", Waiting: 3}}, 0); got[0].Role != "a" || got[0].Desired != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestRolesJoinQueuesWithAgents(t *testing.T) {
	t.Parallel()
	now := time.Now()
	live := tasks.Process{Incarnation: "live", Seen: now, GoneAfter: time.Minute, Agents: []tasks.Agent{
		{Name: "dev-1", Role: "developer", Concurrency: 2, Running: 1}, {Name: "val", Role: "validator"},
	}}
	gone := tasks.Process{Incarnation: "gone", Seen: now.Add(-time.Hour), GoneAfter: time.Minute, Agents: []tasks.Agent{{Name: "dev-2", Role: "developer", Running: 1}}}
	queues := []Queue{{tasks.AgentQueue("dev-1", "P0"), 1}, {tasks.AgentQueue("dev-2", ""), 2}, {tasks.RoleQueue("developer"), 4}, {tasks.RoleQueue("security"), 3}, {"another's", 9}}
	got := Roles(queues, []tasks.Process{live, gone}, now, map[string]time.Duration{"developer": time.Minute})
	want := []Role{{"developer", 7, 1, 2, time.Minute}, {Name: "security", Waiting: 3}, {Name: "validator", Agents: 1}}
	if !slices.Equal(got, want) {
		t.Errorf("roles %+v", got)
	}
}

func TestMeterAddsRunsThatHaveEnded(t *testing.T) {
	t.Parallel()
	rdb, now := redistest.Mini(t), time.Now()
	m, err := NewMeter(rdb)
	if err != nil {
		t.Fatal(err)
	}
	look := func(at time.Duration, runs ...tasks.Run) {
		t.Helper()
		p := tasks.Process{Seen: now.Add(at), GoneAfter: time.Minute, Agents: []tasks.Agent{{Name: "dev-1", Role: "developer"}}, Runs: runs}
		if err := m.Look(t.Context(), []tasks.Process{p}, now.Add(at)); err != nil {
			t.Fatal(err)
		}
	}
	is := func(want time.Duration) {
		t.Helper()
		means, err := Service(t.Context(), rdb)
		if err != nil || means["developer"] != want {
			t.Errorf("a run takes %s, %v, want %s", means["developer"], err, want)
		}
	}
	run := func(id string, at time.Duration) tasks.Run {
		return tasks.Run{ID: id, Agent: "dev-1", Started: now.Add(at)}
	}
	look(0, run("1", 0))
	is(0)
	look(10*time.Second, run("1", 0), run("2", 10*time.Second))
	is(0)
	look(20*time.Second, run("2", 10*time.Second))
	is(20 * time.Second)
	look(80 * time.Second)
	is(30 * time.Second) // a fifth of 70 s, four of 20 s
	if _, err := NewMeter(nil); err == nil {
		t.Error("a meter without a client")
	}
}
