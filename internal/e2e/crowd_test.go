package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/agents/registry"
	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/tasks/broker"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/redisstore"
	"github.com/prpflow/prpflow/workflow/relay"
)

// bureau is an engine with its relay on a Redis of its own, without agents: the
// test plays them.
type bureau struct {
	*testing.T
	store  *redisstore.Store
	engine *workflow.Engine
	relay  *relay.Relay
}

func newBureau(t *testing.T, server *redistest.Instance, worker string) *bureau {
	t.Helper()
	rdb := server.Client()
	store, err := redisstore.New(rdb, redisstore.Config{Worker: worker})
	ok(t, err)
	b, err := broker.New(broker.Config{Redis: rdb})
	ok(t, err)
	reg, err := registry.New(rdb)
	ok(t, err)
	box, err := inbox.New(rdb)
	ok(t, err)
	engine, err := workflow.New(workflow.Config{
		Store: store, Broker: b, Registry: reg, Sweeper: worker,
		Nonce: func() string { return redistest.Name("n") },
	})
	ok(t, err)
	r, err := relay.New(relay.Config{Outbox: store, Engine: engine, Broker: b, Inbox: box})
	ok(t, err)
	engine.SetSender(r)
	t.Cleanup(store.Close)
	return &bureau{t, store, engine, r}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// finish carries a PRP through all its stages.
func (b *bureau) finish(id string) error {
	evidence := map[string]any{"tests_passed": true, "lint_clean": true, "coverage_pct": 91, "approved": true, "merged": true}
	for stage := range 3 {
		rec, _, err := b.store.Load(b.Context(), id)
		if err != nil {
			return err
		}
		if rec.Job == nil {
			return fmt.Errorf("%s has no job in %s", id, rec.State)
		}
		run := tasks.Run{ID: fmt.Sprintf("%s-run-%d", id, stage), PRP: id, Job: rec.Job.ID, Fence: rec.Fence, Type: rec.Job.Type, Agent: "somebody", Incarnation: "h:1:x"}
		if _, err = b.engine.Claim(b.Context(), tasks.Claim{Run: run}); err != nil {
			return err
		}
		if _, err = b.engine.Deliver(b.Context(), tasks.Delivery{Run: run, Result: tasks.Result{Outcome: tasks.Done, Evidence: evidence}}); err != nil {
			return err
		}
	}
	return nil
}

func TestTenThousandDependantsStartAndBlockNobody(t *testing.T) {
	t.Parallel()
	many := 1000
	if torture || !raced {
		many = 10_000
	}
	b := newBureau(t, redistest.Server(t), "h:1:crowd")
	text := func(id, needs string) []byte {
		return []byte("# " + id + " - One of a crowd\n**Dependencies**: " + needs + "\n\n## Success Criteria\n- [ ] It starts\n")
	}
	batch := []workflow.Submission{{Source: "PRP-1.md", Text: text("PRP-1", "None"), Actor: "ann"}}
	for i := range many {
		id := fmt.Sprintf("PRP-%d", 100_000+i)
		batch = append(batch, workflow.Submission{Source: id + ".md", Text: text(id, "PRP-1"), Actor: "ann"})
	}
	_, err := b.engine.Submit(t.Context(), batch)
	ok(t, err)
	waiting := func() int64 {
		states, _, err := b.store.Counts(t.Context())
		ok(t, err)
		return states["validated"]
	}
	if n := waiting(); n != int64(many) {
		t.Fatalf("%d of %d wait", n, many)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); b.relay.Run(ctx) }()
	defer func() { cancel(); <-done }()
	first := make(chan error, 1)
	go func() { first <- b.finish("PRP-1") }() // sends what follows from it, chunk by chunk
	// Somebody else's work goes through while the crowd is being let in.
	var slowest time.Duration
	passed := 0
	for end := time.Now().Add(5 * time.Minute); waiting() > 0; passed++ {
		if time.Now().After(end) {
			t.Fatalf("%d still wait", waiting())
		}
		start := time.Now()
		id := fmt.Sprintf("OTHER-%d", passed)
		_, err := b.engine.Submit(t.Context(), []workflow.Submission{{Source: id + ".md", Text: text(id, "None"), Actor: "ann"}})
		ok(t, err)
		ok(t, b.finish(id))
		slowest = max(slowest, time.Since(start))
	}
	ok(t, <-first)
	t.Logf("%d PRPs started; meanwhile %d others went all the way, the slowest in %s", many, passed, slowest)
	if passed < 3 {
		t.Errorf("only %d others went through meanwhile", passed)
	}
	views, err := b.store.List(t.Context())
	ok(t, err)
	for _, r := range views {
		if r.ID != "PRP-1" && r.State != "assigned" && r.State != "complete" {
			t.Fatalf("%s is in %s", r.ID, r.State)
		}
	}
}
