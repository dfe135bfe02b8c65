package bus

import (
	"sync"
	"time"
)

// clock notices that the process, or the whole machine, was asleep: a session looks
// at it all the time, so a gap between two looks is such a sleep. A gap between two
// sessions counts as well, and is one: nothing was heard.
type clock struct {
	now   func() time.Time
	limit time.Duration

	mu    sync.Mutex
	last  time.Time // of the last look
	sleep int       // counts the gaps of more than limit
}

// look answers the time, and how many sleeps there were so far.
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

// elapsed is the time between two moments: the longer one of two clocks, for the
// monotonic one stops while the machine is suspended, and the other may be set.
func elapsed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}
