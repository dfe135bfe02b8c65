package redisstore

import (
	"context"
	"time"
)

// AcquireLease makes the member owner of the lease or lets it wait.
func (s *Store) AcquireLease(ctx context.Context, lease, member string) (string, error) {
	key, err := leaseKey(lease)
	if member == "" {
		err = errEmpty
	}
	if err != nil {
		return "", failure("acquire", lease, err)
	}
	owner, err := s.scripts.acquire.Run(ctx, s.rdb, []string{key}, member).Text()
	return owner, failure("acquire", lease, err)
}

// ReleaseLease takes the member off the lease.
func (s *Store) ReleaseLease(ctx context.Context, lease, member string) (string, error) {
	key, err := leaseKey(lease)
	if err != nil {
		return "", failure("release", lease, err)
	}
	owner, err := s.scripts.release.Run(ctx, s.rdb, []string{key}, member).Text()
	return owner, failure("release", lease, err)
}

// Lead makes who the one sweeper.
func (s *Store) Lead(ctx context.Context, who string, ttl time.Duration) (bool, error) {
	n, err := s.scripts.lead.Run(ctx, s.rdb, []string{leaderKey}, who, millis(max(ttl, time.Millisecond))).Int()
	return n == 1, failure("lead", who, err)
}
