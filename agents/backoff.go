package agents

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff asks again after 50 ms, doubled up to 5 s, with jitter: between half
// and the whole of it.
type backoff struct{ next time.Duration }

const (
	firstWait = 50 * time.Millisecond
	maxWait   = 5 * time.Second
)

// wait waits for its turn; it is false when ctx ended first.
func (b *backoff) wait(ctx context.Context) bool {
	if b.next == 0 {
		b.next = firstWait
	}
	t := time.NewTimer(b.next/2 + rand.N(b.next/2))
	defer t.Stop()
	b.next = min(2*b.next, maxWait)
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
