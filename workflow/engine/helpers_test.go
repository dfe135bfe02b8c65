package engine_test

import (
	"context"
	"fmt"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

func defaultLifecycle() *fsm.Lifecycle { return fsm.Default() }

func defaultSource() []byte { return fsm.Default().Source() }

// lossy is a store that has lost its documents.
type lossy struct {
	workflow.Store
	lost bool
}

func (s *lossy) Document(ctx context.Context, sha string) ([]byte, error) {
	if s.lost {
		return nil, fmt.Errorf("document %s: %w", sha, workflow.ErrNotFound)
	}
	return s.Store.Document(ctx, sha)
}

// failing is a registry that cannot be read.
type failing struct{ err error }

func (f failing) Processes(context.Context) ([]tasks.Process, time.Time, error) {
	return nil, time.Time{}, f.err
}
func (f failing) Probe(context.Context, string) error         { return f.err }
func (f failing) Forget(context.Context, tasks.Process) error { return f.err }
