package agents_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
)

func TestSecondProcessWaitsForTheNameThenGivesUp(t *testing.T) {
	t.Parallel()
	reg := &registry{taken: 2}
	h := open(t, func(c *agents.Config) { with(done)(c); c.Registry = reg })
	if err := h.Register(t.Context()); err != nil || reg.asked != 3 {
		t.Errorf("asked %d times: %v", reg.asked, err)
	}
	reg.taken = 1 << 30
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := h.Register(ctx); !errors.Is(err, agents.ErrNameTaken) {
		t.Errorf("got %v", err)
	}
	if err := h.Run(t.Context()); !errors.Is(err, agents.ErrNameTaken) {
		t.Errorf("a process that has lost its name beats on: %v", err)
	}
}

// registry refuses the name so many times.
type registry struct{ taken, asked int }

func (r *registry) Register(context.Context, tasks.Process) error {
	if r.asked++; r.asked <= r.taken {
		return agents.ErrNameTaken
	}
	return nil
}

func (r *registry) Beat(ctx context.Context, p tasks.Process) error { return r.Register(ctx, p) }
func (r *registry) Leave(context.Context, string) error             { return nil }
