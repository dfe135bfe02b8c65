package reliable

import (
	"context"
	"fmt"
)

// Books are the numbers of a queue that must add up: what was pushed is done, dead,
// dropped or still there. They are counted where a message moves, in the same script,
// and compared with what is really there.
type Books struct {
	// Pushed, Done and Dropped are counted since the queue began: messages that are
	// new, that were acknowledged, and that were purged or whose dead letter was dropped.
	Pushed, Done, Dropped int64
	// Failed counts deliveries, not messages.
	Failed int64
	// Waits says how long messages have waited for their first delivery, where
	// Config.Waits is set for those who receive.
	Waits Waits
	// Dead, Waiting, Delayed and Taken are there now.
	Dead, Waiting, Delayed, Taken int64
}

// Imbalance is how many messages are missing. Below zero, so many are there that
// nobody pushed.
func (b Books) Imbalance() int64 {
	return b.Pushed - b.Done - b.Dropped - b.Dead - b.Waiting - b.Delayed - b.Taken
}

func (b Books) String() string {
	return fmt.Sprintf("pushed %d = done %d + dropped %d + dead %d + waiting %d + delayed %d + taken %d, missing %d",
		b.Pushed, b.Done, b.Dropped, b.Dead, b.Waiting, b.Delayed, b.Taken, b.Imbalance())
}

// Books reads the books at one moment. A queue that scripts of another package push
// to has none that add up.
func (q *Queue) Books(ctx context.Context) (Books, error) {
	_, b, err := q.count(ctx, true)
	return b, err
}

// Audit is Depth and Books at one moment.
func (q *Queue) Audit(ctx context.Context) (Depth, Books, error) { return q.count(ctx, true) }
