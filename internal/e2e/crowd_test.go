package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/workflow/engine"
)

func TestTenThousandDependantsStartAndBlockNobody(t *testing.T) {
	t.Parallel()
	many := 1000
	if torture || !raced {
		many = 10_000
	}
	b := newBureau(t, redistest.Server(t), "h:1:crowd")
	batch := []engine.Submission{{Source: "PRP-1.md", Text: prpText("PRP-1", "None"), Actor: "ann"}}
	for i := range many {
		id := fmt.Sprintf("PRP-%d", 100_000+i)
		batch = append(batch, engine.Submission{Source: id + ".md", Text: prpText(id, "PRP-1"), Actor: "ann"})
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
		_, err := b.engine.Submit(t.Context(), []engine.Submission{{Source: id + ".md", Text: prpText(id, "None"), Actor: "ann"}})
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
