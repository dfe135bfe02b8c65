package bus

import (
	"sync"
	"time"
)

// clock notices that the process, or the whole machine, was suspended: a session
// reads it all the time, so a gap between two readings is such a sleep. A gap
// between two sessions counts as well: nothing was received in it.
type clock struct {
	now   func() time.Time
	limit time.Duration

	mu    sync.Mutex
	last  time.Time // the last reading
	sleep int       // counts the gaps of more than limit
}

// look returns the time, and how many sleeps there were so far.
func (c *clock) look() (now time.Time, sleep int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now = c.now()
	if !c.last.IsZero() && elapsed(c.last, now) > c.limit {
		c.sleep++
	}
	c.last = now
	return now, c.sleep
}

// elapsed is the time between two moments by the clock that shows more: the
// monotonic one stops while the machine is suspended, and the other can be set back.
func elapsed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}
