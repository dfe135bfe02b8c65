package engine_test

import (
	"context"
	"fmt"

	"github.com/prpflow/prpflow/fsm"
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
