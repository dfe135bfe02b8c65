package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// DefaultBlindAfter is what a zero ListenerConfig.BlindAfter stands for.
const DefaultBlindAfter = 30 * time.Second

// Waits between two tries: the first, which is then doubled up to the longest.
const (
	firstWait     = 50 * time.Millisecond
	longestHandle = time.Second     // of the handler
	longestDial   = 5 * time.Second // of the subscription
)

// ListenerConfig says how a Listener listens.
type ListenerConfig struct {
	// BlindAfter is how old a message may become before it is handled. A process
	// that was suspended for longer drops everything it has received and subscribes
	// again. Zero: DefaultBlindAfter.
	BlindAfter time.Duration
	// Log receives warnings about dropped messages and lost connections. Nil: no log.
	Log *slog.Logger
}

// Listener hears every channel of the bus.
type Listener struct {
	rdb    redis.UniversalClient
	cfg    ListenerConfig
	clock  *clock
	buffer *buffer
	losses losses
	ready  atomic.Bool
	denied atomic.Bool
}

// NewListener makes a listener on a client that the caller keeps and closes.
func NewListener(rdb redis.UniversalClient, cfg ListenerConfig) (*Listener, error) {
	if rdb == nil {
		return nil, errors.New("bus: a listener needs a Redis client")
	}
	if cfg.BlindAfter == 0 {
		cfg.BlindAfter = DefaultBlindAfter
	}
	if cfg.BlindAfter < 100*time.Millisecond {
		return nil, fmt.Errorf("bus: blind after %s: it must be at least 100ms", cfg.BlindAfter)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Listener{
		rdb: rdb, cfg: cfg,
		clock:  &clock{now: time.Now, limit: cfg.BlindAfter},
		buffer: newBuffer(), losses: losses{log: cfg.Log},
	}, nil
}

// Ready tells whether the subscription is confirmed and its connection is up.
func (l *Listener) Ready() bool { return l.ready.Load() }

// Denied tells whether Redis refuses the subscription, since the user has no right to
// the channels. It is asked for again all the same.
func (l *Listener) Denied() bool { return l.denied.Load() }

// Lag is the age of the oldest message that is not handled yet, zero where there
// is none.
func (l *Listener) Lag() time.Duration {
	at := l.buffer.oldest()
	if at.IsZero() {
		return 0
	}
	now, _ := l.clock.look()
	return max(elapsed(at, now), 0)
}

// Dropped counts the messages that were received and never handled.
func (l *Listener) Dropped() int64 { return l.losses.total.Load() }

// Listen gives every message to handle until ctx ends, one at a time and in order.
// Where handle fails it is called again, until the message is older than
// ListenerConfig.BlindAfter. When the connection is lost, Listen keeps trying to
// subscribe again. Only one call may run at a time.
func (l *Listener) Listen(ctx context.Context, handle func(context.Context, Heard) error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { l.handleAll(ctx, handle) })
	l.subscribe(ctx)
	wg.Wait()
}

// subscribe keeps a subscription alive.
func (l *Listener) subscribe(ctx context.Context) {
	wait, lost := firstWait, false
	for ctx.Err() == nil {
		confirmed, err := l.session(ctx)
		if ctx.Err() != nil {
			return
		}
		l.denied.Store(err != nil && redis.HasErrorPrefix(err, "NOPERM"))
		if confirmed {
			wait, lost = firstWait, false
		}
		if !lost { // one warning per outage
			l.cfg.Log.Warn("lost the subscription to the bus, subscribing again", "err", err)
			lost = true
		}
		// With jitter: all processes lose their connections at once.
		pause(ctx, wait/2+rand.N(wait/2+1))
		wait = min(2*wait, longestDial)
	}
}

// pause waits, but not longer than ctx lives.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
