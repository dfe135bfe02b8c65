package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// crowdSize is how many PRPs wait while the watch has to act.
func crowdSize() int {
	minutes, _ := strconv.ParseFloat(os.Getenv("PRPFLOW_TORTURE_MINUTES"), 64)
	switch {
	case minutes > 8:
		return 1_000_000
	case raced:
		return 20_000
	}
	return 100_000
}

// populate fills a store with PRPs that wait: a third for another PRP, a third in
// the queues of busy agents, a third has ended.
func (b *bureau) populate(n int) {
	b.Helper()
	lc := fsm.Default()
	ok(b.T, b.store.PutLifecycle(b.Context(), lc.Hash(), lc.Source()))
	b.submits("PRP-0")
	_, err := b.engine.Trigger(b.Context(), workflow.Trigger{PRP: "PRP-0", Event: "pause", Actor: "ann"})
	ok(b.T, err)
	shared := openBureau(b.T, b.rdb, "h:1:generator", nil)
	var wg sync.WaitGroup
	const hands = 24
	for hand := range hands {
		wg.Go(func() {
			for i := hand; i < n; i += hands {
				if err := shared.waits(b.Context(), lc, i); err != nil {
					b.Errorf("populate: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// waits makes one PRP that waits, as the engine would have left it.
func (b *bureau) waits(ctx context.Context, lc *fsm.Lifecycle, i int) error {
	rec := workflow.Record{
		Schema: workflow.SchemaVersion, ID: fmt.Sprintf("CROWD-%d", i), Title: "One of a crowd", Lifecycle: lc.Hash(), Document: "none",
		Revision: 1, State: "validated", Version: 1, Fence: 1, Attempt: 1,
	}
	c := workflow.Change{Token: rec.ID, History: []workflow.Entry{{Event: workflow.EventSubmitted, To: rec.State, Actor: "ann", Attempt: 1}}}
	var job *tasks.Job
	switch i % 3 {
	case 0:
		rec.DependsOn, rec.BlockedBy = []string{"PRP-0"}, []string{"PRP-0"}
	case 1:
		rec.State = "assigned"
		agent := fmt.Sprintf("busy-%d", i%5)
		job = &tasks.Job{ID: tasks.NewJobID(rec.ID, 1, "n"), PRP: rec.ID, Fence: 1, Type: "prp.develop", Role: "developer", Agent: agent, Queue: tasks.AgentQueue(agent, "")}
		rec.Stage.Work = &workflow.Work{Job: *job}
		c.Publish = tasks.JobRef{Job: job.ID, Queue: job.Queue}
		if err := b.broker.Enqueue(ctx, *job); err != nil {
			return err
		}
	case 2:
		rec.State = "complete"
	}
	c.Record = rec
	c.History[0].To = rec.State
	if _, err := b.store.Apply(ctx, c); err != nil {
		return err
	}
	if i%3 == 0 {
		return b.store.AddDependant(ctx, "PRP-0", rec.ID)
	}
	return nil
}

// busy are agents whose work never ends.
func busy(n int) (agents []tasks.Agent) {
	for i := range n {
		agents = append(agents, tasks.Agent{Name: fmt.Sprintf("busy-%d", i), Role: "developer", Concurrency: 1, Running: 1})
	}
	return agents
}

// commands is how many commands a server answers in a second, over a while.
func commands(t *testing.T, rdb redis.UniversalClient, over time.Duration) float64 {
	t.Helper()
	read := func() (n float64) {
		text, err := rdb.Info(t.Context(), "commandstats").Result()
		ok(t, err)
		for _, line := range strings.Split(text, "\n") {
			if _, rest, is := strings.Cut(line, "calls="); is {
				count, _, _ := strings.Cut(rest, ",")
				calls, err := strconv.ParseFloat(count, 64)
				ok(t, err)
				n += calls
			}
		}
		return n
	}
	before := read()
	time.Sleep(over)
	return (read() - before) / over.Seconds()
}

// idle is the number of commands a second of a bureau in which nothing happens,
// once its first round through all records is over: that one is at speed, with
// tens of thousands of commands a second.
func (b *bureau) idle() float64 {
	b.Helper()
	last := commands(b.T, b.rdb, 4*time.Second)
	for range 100 {
		now := commands(b.T, b.rdb, 4*time.Second)
		if now > 0.9*last && now < 1.1*last && now < 5000 {
			return now
		}
		last = now
	}
	b.Error("the bureau does not come to rest")
	return last
}

// short ends each stay in development after three seconds.
var shortDeadline = strings.Replace(string(fsm.Default().Source()), "\n  development:\n", "\n  development:\n    deadline: 3s\n", 1)

// troubles brings about what the watch has to act on, and says how long it took:
// a run in nobody's hand, a passed deadline, a dead process, lost tasks.
func (b *bureau) troubles(round string, limit time.Duration, lost int) {
	b.Helper()
	lc, err := fsm.Parse("short.yaml", []byte(shortDeadline))
	ok(b.T, err)
	hasty := openBureau(b.T, b.rdb, "h:1:hasty"+round, lc)
	var ids []string
	for i := range lost {
		ids = append(ids, fmt.Sprintf("LOST-%s-%d", round, i))
	}
	orphan, widow, late, dying := "ORPHAN-"+round, "WIDOW-"+round, "LATE-"+round, "elsewhere:2:dies-"+round
	b.submits(append(ids, orphan, widow)...)
	hasty.submits(late)
	dies := b.lives(dying, tasks.Agent{Name: "dying-" + round, Role: "developer", Concurrency: 9, Running: 9})
	b.dequeues(widow, "dying-"+round, dying)
	before := map[string]string{}
	for _, id := range ids {
		rec := b.record(id)
		before[id] = rec.Job().ID
	}
	b.dequeues(orphan, "busy-0", "elsewhere:1:busy") // no heartbeat shows it
	b.dequeues(late, "busy-1", "elsewhere:1:busy")
	began := time.Now()
	dies.stop()
	for _, id := range ids {
		job := before[id]
		rec := b.record(id)
		ok(b.T, b.broker.Remove(b.Context(), rec.Job().Queue, job))
	}
	free := func(id string) func() bool { return func() bool { r := b.record(id); return r.Holder() == nil } }
	wanted := map[string]func() bool{
		"the run in nobody's hand": free(orphan),
		"the dead process":         free(widow),
		"the passed deadline":      func() bool { return b.record(late).State == "failed" },
		fmt.Sprintf("%d lost tasks", lost): func() bool {
			recs, _, err := b.store.LoadMany(b.Context(), ids)
			ok(b.T, err)
			return !slices.ContainsFunc(recs, func(r workflow.Loaded) bool { return r.Job() == nil || r.Job().ID == before[r.ID] })
		},
	}
	for len(wanted) > 0 {
		for what, done := range wanted {
			after := time.Since(began)
			switch {
			case done():
				delete(wanted, what)
				b.Logf("%s: acted on after %.1f s", what, after.Seconds())
				if after > limit {
					b.Errorf("%s: acted on after %v, the promise is %v", what, after, limit)
				}
			case after > limit+time.Minute:
				b.Fatalf("%s: not acted on", what)
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// dequeues claims the PRP's job, and takes its task off its queue as a server does
// that then dies.
func (b *bureau) dequeues(id, agent, incarnation string) {
	b.Helper()
	rec := b.record(id)
	b.takes(id, agent, incarnation)
	ok(b.T, b.broker.Remove(b.Context(), rec.Job().Queue, rec.Job().ID))
}

// However many PRPs wait, the watch acts as soon, and costs as little.
func TestWaitingPRPsCostTheWatchNothing(t *testing.T) {
	cost := map[int]float64{}
	n := crowdSize()
	for _, size := range []int{1000, n} {
		b := newBureau(t, redistest.Server(t, "--appendonly", "no", "--save", ""), "h:1:watch")
		began := time.Now()
		b.populate(size)
		b.lives("elsewhere:1:busy", busy(5)...)
		b.watch("h:1:watch")
		t.Logf("%d PRPs in %.0f s", size, time.Since(began).Seconds())
		cost[size] = b.idle()
		t.Logf("%d PRPs: at rest %.0f commands a second, %.0f s after the start", size, cost[size], time.Since(began).Seconds())
		for round := range 3 {
			if size == n {
				b.troubles(strconv.Itoa(round), 10*time.Second, 1)
			}
		}
	}
	if cost[n] > 1.3*cost[1000] {
		t.Errorf("at rest %.0f commands a second with %d PRPs, %.0f with 1000", cost[n], n, cost[1000])
	}
}

// The queues of agents that are gone are emptied within minutes, whatever waits in
// them, and nobody else is kept waiting meanwhile.
func TestTheQueuesOfGoneAgentsAreEmptiedAndStarveNobody(t *testing.T) {
	n := crowdSize() / 2
	b := newBureau(t, redistest.Server(t, "--appendonly", "no", "--save", ""), "h:1:watch")
	b.populate(n)
	gone := b.lives("elsewhere:1:gone", busy(5)...)
	b.watch("h:1:watch")
	b.idle()
	gone.stop()
	heirs := busy(2)
	for i := range heirs {
		heirs[i].Name = fmt.Sprintf("heir-%d", i)
	}
	b.lives("elsewhere:2:heirs", heirs...)
	began := time.Now()
	b.submits("LOST-0")
	rec := b.record("LOST-0")
	job := *rec.Job()
	ok(t, b.broker.Remove(t.Context(), job.Queue, job.ID))
	b.eventually("the lost task is published again", func() bool {
		rec := b.record("LOST-0")
		return rec.Job() != nil && rec.Job().ID != job.ID
	})
	t.Logf("the lost task: acted on after %.1f s", time.Since(began).Seconds())
	left := func() (waiting int64) {
		queues, err := b.broker.Queues(t.Context())
		ok(t, err)
		for _, q := range queues {
			if strings.HasPrefix(q.Name, "agent:busy-") {
				waiting += q.Size()
			}
		}
		return waiting
	}
	for left() > 0 {
		if time.Since(began) > 5*time.Minute {
			t.Fatalf("%d tasks still wait for agents that are gone", left())
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Logf("%d tasks of gone agents: routed again after %.0f s", n/3, time.Since(began).Seconds())
}
