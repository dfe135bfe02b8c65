package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/agents/registry"
	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/tasks/broker"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/redisstore"
	"github.com/prpflow/prpflow/workflow/relay"
	"github.com/prpflow/prpflow/workflow/sweep"
)

// bureau is an engine with its relay on a Redis, without agents: the test plays
// them.
type bureau struct {
	*testing.T
	rdb      redis.UniversalClient
	store    *redisstore.Store
	broker   *broker.Broker
	registry *registry.Registry
	engine   *engine.Engine
	relay    *relay.Relay
}

func newBureau(t *testing.T, server *redistest.Instance, worker string) *bureau {
	t.Helper()
	return openBureau(t, server.Client(), worker, nil)
}

// openBureau opens one on a client; lc is the lifecycle of its submissions, nil
// for the store's.
func openBureau(t *testing.T, rdb redis.UniversalClient, worker string, lc *fsm.Lifecycle) *bureau {
	t.Helper()
	b := &bureau{T: t, rdb: rdb}
	var err error
	b.store, err = redisstore.New(rdb, redisstore.Config{Worker: worker})
	ok(t, err)
	b.broker, err = broker.New(broker.Config{Redis: rdb})
	ok(t, err)
	b.registry, err = registry.New(rdb)
	ok(t, err)
	box, err := inbox.New(rdb, inbox.Config{})
	ok(t, err)
	b.engine, err = engine.New(engine.Config{
		Store: b.store, Broker: b.broker, Registry: b.registry, Active: lc, Nonce: func() string { return redistest.Name("n") },
	})
	ok(t, err)
	b.relay, err = relay.New(relay.Config{Outbox: b.store, Engine: b.engine, Broker: b.broker, Inbox: box})
	ok(t, err)
	b.engine.SetSender(b.relay)
	t.Cleanup(b.store.Close)
	return b
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// watch sweeps and relays until the end of the test.
func (b *bureau) watch(self string) *sweep.Sweeper {
	b.Helper()
	s, err := sweep.New(sweep.Config{Engine: b.engine, Store: b.store, Broker: b.broker, Registry: b.registry, Self: self})
	ok(b.T, err)
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.Run(ctx) })
	wg.Go(func() { b.relay.Run(ctx) })
	b.Cleanup(func() { stop(); wg.Wait() })
	return s
}

// living is a process that beats.
type living struct {
	mu   sync.Mutex
	p    tasks.Process
	stop func()
}

// hold shows a run in the heartbeats from now on.
func (l *living) hold(run tasks.Run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.p.Runs = append(l.p.Runs, run)
}

func (l *living) beat(ctx context.Context, b *bureau) error {
	l.mu.Lock()
	p := l.p
	l.mu.Unlock()
	return b.registry.Beat(ctx, p)
}

// lives has a process beat until the end of the test, or until it is stopped.
func (b *bureau) lives(incarnation string, agents ...tasks.Agent) *living {
	b.Helper()
	l := &living{p: tasks.Process{Incarnation: incarnation, Schema: workflow.SchemaVersion, Host: "elsewhere", PID: 1, Agents: agents, GoneAfter: 6 * time.Second}}
	ok(b.T, l.beat(b.Context(), b))
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				_ = l.beat(ctx, b) // what is refused is tried again
			}
		}
	})
	l.stop = func() { cancel(); wg.Wait() }
	b.Cleanup(l.stop)
	return l
}

// evidence is what every edge of the default lifecycle accepts.
var evidence = map[string]any{"tests_passed": true, "lint_clean": true, "coverage_pct": 91, "approved": true, "merged": true}

// run is a run of the PRP's job that nobody has claimed yet.
func (b *bureau) run(id, agent, incarnation string) (tasks.Run, error) {
	rec, _, err := b.store.Load(b.Context(), id)
	if err != nil {
		return tasks.Run{}, err
	}
	job := rec.Job()
	if job == nil {
		return tasks.Run{}, fmt.Errorf("%s has no job in %s", id, rec.State)
	}
	return tasks.Run{ID: redistest.Name("run"), PRP: id, Job: job.ID, Fence: rec.Fence, Type: job.Type, Agent: agent, Incarnation: incarnation, Started: time.Now()}, nil
}

// takes claims the PRP's job.
func (b *bureau) takes(id, agent, incarnation string) tasks.Run {
	b.Helper()
	run, err := b.run(id, agent, incarnation)
	ok(b.T, err)
	_, err = b.engine.Claim(b.Context(), tasks.Claim{Run: run})
	ok(b.T, err)
	return run
}

// finish carries a PRP through all its stages.
func (b *bureau) finish(id string) error {
	for range 3 {
		run, err := b.run(id, "somebody", "h:1:x")
		if err != nil {
			return err
		}
		if _, err = b.engine.Claim(b.Context(), tasks.Claim{Run: run}); err != nil {
			return err
		}
		if _, err = b.engine.Deliver(b.Context(), tasks.Delivery{Run: run, Result: tasks.Result{Outcome: tasks.Done, Evidence: evidence}}); err != nil {
			return err
		}
	}
	return nil
}

// hands in PRPs that wait for nothing.
func (b *bureau) submits(ids ...string) {
	b.Helper()
	var batch []engine.Submission
	for _, id := range ids {
		batch = append(batch, engine.Submission{ID: id, Source: id + ".md", Text: prpText(id, "None"), Actor: "ann"})
	}
	_, err := b.engine.Submit(b.Context(), batch)
	ok(b.T, err)
}

func submission(id string) []engine.Submission {
	return []engine.Submission{{ID: id, Source: id + ".md", Text: prpText(id, "None"), Actor: "ann"}}
}

func prpText(id, needs string) []byte {
	return []byte("# " + id + " - One of a crowd\n**Dependencies**: " + needs + "\n\n## Success Criteria\n- [ ] It starts\n")
}

// eventually waits for a condition.
func (b *bureau) eventually(what string, ok func() bool) {
	b.Helper()
	for end := time.Now().Add(soon); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("after %s: not true that %s", soon, what)
		}
	}
}

func (b *bureau) record(id string) workflow.Record {
	b.Helper()
	rec, _, err := b.store.Load(b.Context(), id)
	ok(b.T, err)
	return rec
}
