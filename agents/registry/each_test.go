package registry_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/agents/registry"
	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
)

func TestMain(m *testing.M) { redistest.Main(m) }

// The life of a name on every backend: taken, refused, silent, taken over,
// left, forgotten.
func TestNamePassesFromProcessToProcess(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		r, err := registry.New(rdb)
		if err != nil {
			t.Fatal(err)
		}
		name := redistest.Name("dev")
		first, second := remote(redistest.Name("far:7:a"), name), remote(redistest.Name("near:8:b"), name)
		first.GoneAfter = time.Second
		if err := r.Register(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		if err := r.Register(t.Context(), second); !errors.Is(err, registry.ErrNameTaken) {
			t.Fatalf("got %v", err)
		}
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			err := r.Register(t.Context(), second)
			if err == nil {
				break
			}
			if !errors.Is(err, registry.ErrNameTaken) || time.Now().After(end) {
				t.Fatal(err)
			}
		}
		ps, now, err := r.Processes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		gone := map[string]bool{}
		for _, p := range ps {
			gone[p.Incarnation] = registry.Gone(p, now)
		}
		if !gone[first.Incarnation] || gone[second.Incarnation] {
			t.Errorf("gone: %v", gone)
		}
		for _, p := range []tasks.Process{first, second} {
			if err := errors.Join(r.Leave(t.Context(), p.Incarnation), r.Forget(t.Context(), known(t, r, p.Incarnation))); err != nil {
				t.Error(err)
			}
		}
		agents, _, err := r.Agents(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(agents, func(a registry.Agent) bool { return a.Name == name })
		if i < 0 || !agents[i].Gone || agents[i].Incarnation != second.Incarnation {
			t.Errorf("the agent is listed as %+v", agents)
		}
	})
}
