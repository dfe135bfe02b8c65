package registry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/agents/registry"
	"github.com/prpflow/prpflow/tasks"
)

func TestErrorsSayThatItIsTheRegistry(t *testing.T) {
	b := setup(t)
	b.rdb.Close()
	ctx := t.Context()
	_, _, processes := b.Processes(ctx)
	_, _, agents := b.Agents(ctx)
	for what, err := range map[string]error{
		"processes": processes, "agents": agents, "beat": b.Beat(ctx, remote("far:7:a", "dev-1")),
		"leave": b.Leave(ctx, "far:7:a"), "forget": b.Forget(ctx, remote("far:7:a")), "probe": b.Probe(ctx, "far:7:a"), "nobody": b.Register(ctx, tasks.Process{}),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "registry: ") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := registry.New(nil); err == nil {
		t.Error("a registry without a client")
	}
}

func TestHolderOfANameIsTold(t *testing.T) {
	b := setup(t)
	if err := b.Register(t.Context(), remote("far:7:a", "dev-1")); err != nil {
		t.Fatal(err)
	}
	err := b.Register(t.Context(), remote("far:8:b", "dev-1"))
	var taken *registry.NameTakenError
	if !errors.As(err, &taken) || !strings.Contains(err.Error(), "dev-1 is held by a live process on host far with pid 7") {
		t.Errorf("got %v", err)
	}
}
