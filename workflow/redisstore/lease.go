package redisstore

import (
	"context"
	"slices"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// namedAgain is how often the name of a lease that is asked for is noted again:
// it may have been lost, and is needed only by who looks for it.
const namedAgain = 10 * time.Second

// AcquireLease puts the member at the end of the lease's list.
func (s *Store) AcquireLease(ctx context.Context, lease, member string, capacity int) ([]string, error) {
	key, err := leaseKey(lease)
	if member == "" {
		err = errEmpty
	}
	if err != nil {
		return nil, failure("acquire", lease, err)
	}
	if err := s.nameLease(ctx, lease); err != nil {
		return nil, failure("acquire", lease, err)
	}
	owners, err := s.scripts.acquire.Run(ctx, s.rdb, []string{key}, member, max(capacity, 1)).StringSlice()
	return owners, failure("acquire", lease, err)
}

// nameLease notes that there is a lease of that name: it is in another slot.
func (s *Store) nameLease(ctx context.Context, lease string) error {
	s.mu.Lock()
	known := time.Since(s.leases[lease]) < namedAgain
	s.mu.Unlock()
	if known {
		return nil
	}
	if err := s.rdb.SAdd(ctx, leasesKey, lease).Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases[lease] = time.Now()
	return nil
}

// ReleaseLease takes the member off the lease.
func (s *Store) ReleaseLease(ctx context.Context, lease, member string, capacity int) ([]string, error) {
	key, err := leaseKey(lease)
	if err != nil {
		return nil, failure("release", lease, err)
	}
	owners, err := s.scripts.release.Run(ctx, s.rdb, []string{key}, member, max(capacity, 1)).StringSlice()
	return owners, failure("release", lease, err)
}

// LeaseMembers lists the first members of a lease.
func (s *Store) LeaseMembers(ctx context.Context, lease string, first int) ([]string, error) {
	key, err := leaseKey(lease)
	if err != nil {
		return nil, failure("members of", lease, err)
	}
	if first <= 0 {
		return nil, nil
	}
	members, err := s.rdb.ZRange(ctx, key, 0, int64(first)-1).Result()
	return members, failure("members of", lease, err)
}

// LeaseNames lists the leases that anybody has asked for.
func (s *Store) LeaseNames(ctx context.Context) ([]string, error) {
	names, err := s.rdb.SMembers(ctx, leasesKey).Result()
	slices.Sort(names)
	return names, failure("leases", "", err)
}

// Lead makes who the one sweeper.
func (s *Store) Lead(ctx context.Context, who string, ttl time.Duration) (bool, error) {
	n, err := s.scripts.lead.Run(ctx, s.rdb, []string{leaderKey, leaderReadsKey}, who, millis(max(ttl, time.Millisecond)), workflow.SchemaVersion).Int()
	return n == 1, failure("lead", who, err)
}
