package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prpflow/prpflow/internal/redisconn"
)

// patiently repeats what needs Redis for as long as it fails for a reason that passes:
// Redis is unreachable, loading, full, a replica until the failover. Each reason is
// logged once. What does not pass, such as a wrong password, is an error at once.
func patiently(ctx context.Context, log *slog.Logger, do func(context.Context) error) error {
	said := map[string]bool{}
	for try := 1; ; try++ {
		err := do(ctx)
		if err == nil || ctx.Err() != nil || !redisconn.Passes(err) {
			return err
		}
		reason := err.Error()
		if refusal, ok := redisconn.Refused(err); ok {
			reason = refusal.Sentence
		}
		if !said[reason] {
			log.Warn("waiting for Redis", "reason", reason)
			said[reason] = true
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(redisconn.Backoff(try)):
		}
	}
}
