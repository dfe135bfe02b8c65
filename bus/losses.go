package bus

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// warnEvery is the shortest time between two warnings about dropped messages.
const warnEvery = time.Second

// losses counts dropped messages and warns about them.
type losses struct {
	log   *slog.Logger
	total atomic.Int64

	mu     sync.Mutex
	warned time.Time // the last warning
	since  int       // messages dropped since then
}

func (l *losses) add(n int, why error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since += n
	total := l.total.Add(int64(n))
	if time.Since(l.warned) < warnEvery {
		return
	}
	l.log.Warn("messages of the bus were dropped", "messages", l.since, "in_all", total, "err", why)
	l.warned, l.since = time.Now(), 0
}
