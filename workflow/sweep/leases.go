package sweep

import (
	"context"
	"slices"

	"github.com/prpflow/prpflow/workflow"
)

// atHead is how many members of a merge lease are compared with their records.
const atHead = 32

// leases compares the merge leases with the records of their members: one whose
// PRP does not want it any more is freed, one whose turn has come is granted.
func (s *Sweeper) leases(ctx context.Context, _ view) error {
	names, err := s.cfg.Store.LeaseNames(ctx)
	if err != nil {
		return err
	}
	return s.each(ctx, names, func(i int) error { return s.lease(ctx, names[i]) })
}

func (s *Sweeper) lease(ctx context.Context, name string) error {
	members, err := s.cfg.Store.LeaseMembers(ctx, name, atHead)
	if err != nil || len(members) == 0 {
		return err
	}
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = workflow.MemberPRP(m)
	}
	recs, _, err := s.cfg.Store.LoadMany(ctx, ids)
	if err != nil {
		return err
	}
	leave, grant, capacity := planLease(members, recs)
	for _, member := range leave {
		if err := s.cfg.Engine.Release(ctx, name, member, capacity); err != nil {
			return err
		}
	}
	if len(leave) > 0 || len(grant) == 0 {
		return nil
	}
	return s.cfg.Engine.Grant(ctx, name, grant, capacity)
}

// planLease says who is to leave a lease, and which of its owners have not been
// told that they own it.
func planLease(members []string, recs []workflow.Loaded) (leave, grant []string, capacity int) {
	capacity = 1
	for _, r := range recs {
		if m := r.Stage.Merge; m != nil && slices.Contains(members, m.Member) {
			capacity = max(capacity, m.Capacity)
		}
	}
	for i, member := range members {
		m := recs[i].Stage.Merge
		switch {
		case recs[i].Err != nil: // nothing is known of it
		case m == nil || m.Member != member:
			leave = append(leave, member)
		case i < max(m.Capacity, 1) && !m.Granted:
			grant = append(grant, member)
		}
	}
	return leave, grant, capacity
}
