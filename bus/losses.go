package bus

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// tellEvery is the shortest time between two warnings about dropped messages.
const tellEvery = time.Second

// losses counts dropped messages and warns about them.
type losses struct {
	log   *slog.Logger
	total atomic.Int64

	mu     sync.Mutex
	told   time.Time // when it warned last
	untold int       // what was dropped since
}

func (l *losses) add(n int, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.untold += n
	total := l.total.Add(int64(n))
	if time.Since(l.told) < tellEvery {
		return
	}
	l.log.Warn("messages of the bus were dropped", "messages", l.untold, "in_all", total, "err", why)
	l.told, l.untold = time.Now(), 0
}
