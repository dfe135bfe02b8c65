package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"github.com/prpflow/prpflow/reliable"
)

// TakeConfig says how many messages Take takes.
type TakeConfig struct {
	// Follow goes on after the first message.
	Follow bool
	// Wait is after how long without a message Take ends. Zero: at once, or never
	// where it follows.
	Wait time.Duration
	// Drain is how long a handler may go on after the end of the context.
	Drain time.Duration
}

// Take gives the messages of an inbox to a handler, one at a time: one, or one after
// the other where it follows. Nil acknowledges the message; an error returns it. It
// answers how many it took, and the error of the last handler.
func (b *Inbox) Take(ctx context.Context, name string, cfg TakeConfig, handle func(ctx context.Context, m Message) error) (taken int, last error, err error) {
	q, folded, err := b.queue(name)
	if err != nil {
		return 0, nil, err
	}
	c := reliable.ConsumeConfig{Log: b.cfg.Log, Idle: cfg.Wait, Drain: cfg.Drain}
	if !cfg.Follow {
		c.Limit, c.Idle = 1, max(cfg.Wait, time.Millisecond)
	}
	err = q.Consume(ctx, func(ctx context.Context, m reliable.Message) error {
		taken++
		last = handle(ctx, message(folded, m, reliable.Taken))
		return last
	}, c)
	return taken, last, err
}

// Held are messages that an agent has in hand while it works at a task.
type Held struct {
	q     *reliable.Queue
	queue []reliable.Message
	name  string
	stop  context.CancelFunc
	ended chan struct{}
	over  atomic.Bool
}

// heldAtMost bounds what an agent is given with one task.
const heldAtMost = 50

// Hold takes what waits in an inbox, up to 50 messages, and keeps them in hand until
// Done or Return.
func (b *Inbox) Hold(ctx context.Context, name string) (*Held, error) {
	q, folded, err := b.queue(name)
	if err != nil {
		return nil, err
	}
	keys := q.Keys()
	if n, err := b.rdb.Exists(ctx, keys.Pending, keys.Delayed).Result(); err == nil && n == 0 {
		return &Held{}, nil // as nearly always
	}
	got, err := q.ReceiveMany(ctx, heldAtMost, 0)
	if err != nil && !errors.Is(err, reliable.ErrEmpty) {
		return nil, wrap(folded, err)
	}
	keep, stop := context.WithCancel(context.WithoutCancel(ctx))
	h := &Held{q: q, queue: got, name: folded, stop: stop, ended: make(chan struct{})}
	if len(got) == 0 {
		stop()
		close(h.ended)
		_ = q.Close(ctx)
		return h, nil
	}
	go h.keep(keep)
	return h, nil
}

// keep renews the lease.
func (h *Held) keep(ctx context.Context) {
	defer close(h.ended)
	tick := time.NewTicker(h.q.Lease() / 4)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = h.q.Extend(ctx) // tried again in a moment; what lapses is delivered again
		}
	}
}

// Messages are what is held, as JSON, the oldest first.
func (h *Held) Messages() []json.RawMessage {
	list := make([]json.RawMessage, 0, len(h.queue))
	for _, m := range h.queue {
		if raw, err := json.Marshal(message(h.name, m, reliable.Taken)); err == nil {
			list = append(list, raw)
		}
	}
	return list
}

// Done acknowledges what is held.
func (h *Held) Done(ctx context.Context) error {
	ids := make([]string, len(h.queue))
	for i, m := range h.queue {
		ids[i] = m.ID
	}
	return h.end(ctx, func() error { return h.q.Ack(ctx, ids...) })
}

// Return gives back what is held, as if it had not been delivered.
func (h *Held) Return(ctx context.Context) error {
	return h.end(ctx, func() error { return h.q.Release(ctx, h.queue...) })
}

// end says what becomes of the messages. Whatever the answer, the lease is renewed no
// more: what could not be said comes back.
func (h *Held) end(ctx context.Context, say func() error) error {
	if len(h.queue) == 0 || h.over.Swap(true) {
		return nil
	}
	h.stop()
	<-h.ended
	if err := say(); err != nil {
		return wrap(h.name, err)
	}
	return h.q.Close(ctx)
}
