package registry

import (
	"context"
	"fmt"
	"time"
)

// probeTTL is how long a probe stays in Redis.
const probeTTL = time.Minute

// Probe writes where heartbeats are written. It fails where Redis answers but
// takes no writes: its memory is full, its disk is, it is a replica, or has too
// few of them.
func (r *Registry) Probe(ctx context.Context, incarnation string) error {
	if err := r.rdb.Set(ctx, keyProbe, incarnation, probeTTL).Err(); err != nil {
		return fmt.Errorf("registry: Redis takes no writes: %w", err)
	}
	return nil
}
