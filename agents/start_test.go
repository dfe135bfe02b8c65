package agents_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
)

// Processes that start at one moment look for what dead ones have left: none may
// take the other for dead.
func TestManyStartAtOnceInOneStateFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for n := range 10 {
				r, err := agents.NewRuntime(agents.Config{
					Engine: &engine{}, StateDir: dir, StoreID: "store",
					Process: tasks.Process{Incarnation: fmt.Sprintf("h:%d:%d", i, n)},
				})
				if err != nil {
					t.Error(err)
					return
				}
				if err := r.OfferLeftovers(t.Context()); err != nil {
					t.Error(err)
				}
				if err := r.Drain(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
