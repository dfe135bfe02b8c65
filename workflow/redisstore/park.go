package redisstore

import (
	"context"
	"slices"

	"github.com/prpflow/prpflow/workflow"
)

// Park puts an entry on the shelf of its kind.
func (s *Store) Park(ctx context.Context, e workflow.OutboxEntry) error {
	p := s.partition(e.PRP)
	if err := s.outboxes[p].Park(ctx, e.Kind, e.ID); err != nil {
		return failure("park", e.ID, err)
	}
	s.forget(p, []workflow.OutboxEntry{e})
	return nil
}

// Adopt moves the entries on the shelves of these kinds to this process' list, at
// most 500 of each kind and partition at a time.
func (s *Store) Adopt(ctx context.Context, kinds []string) error {
	for p, q := range s.outboxes {
		shelves, err := q.Shelves(ctx)
		for _, kind := range shelves {
			if err == nil && slices.Contains(kinds, kind) {
				err = q.Adopt(ctx, kind)
			}
		}
		if err != nil {
			return failure("adopt", outboxPrefix(p), err)
		}
	}
	return nil
}
