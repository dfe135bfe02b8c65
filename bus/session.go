package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// session is one connection with one subscription.
type session struct {
	*Listener
	sub   *redis.PubSub
	wg    sync.WaitGroup
	sleep int         // of the clock when it began
	asked atomic.Bool // a ping is waiting for its answer
}

// session subscribes and receives until something is wrong. confirmed tells
// whether Redis has confirmed the subscription.
//
// After a timeout within a message go-redis would continue reading within it, and
// after an error it reconnects by itself, however long that takes. So each
// connection has its own PubSub, which is read without a timeout and is closed
// after the first error, or by keepAlive when it hangs.
func (l *Listener) session(ctx context.Context) (confirmed bool, err error) {
	ctx, end := context.WithCancelCause(ctx)
	_, sleep := l.clock.look()
	s := &session{Listener: l, sub: l.rdb.Subscribe(ctx), sleep: sleep} // to nothing yet: it does not connect
	defer func() {
		l.ready.Store(false)
		end(err)
		s.wg.Wait()
		err = context.Cause(ctx) // the first that went wrong
	}()
	s.wg.Go(func() { end(s.keepAlive(ctx)) })
	s.wg.Go(func() { <-ctx.Done(); _ = s.sub.Close() })
	if err := s.sub.PSubscribe(ctx, Pattern); err != nil {
		return false, err
	}
	for {
		got, err := s.sub.Receive(ctx)
		if err != nil {
			return confirmed, err
		}
		switch got := got.(type) {
		case *redis.Subscription:
			confirmed = true
			l.ready.Store(true)
			l.cfg.Log.Info("subscribed to the bus")
		case *redis.Pong:
			s.asked.Store(false)
		case *redis.Message:
			if err := s.take(got); err != nil {
				return confirmed, err
			}
		}
	}
}

// take puts a message into the buffer. The age of what waited in the connection
// while this process was suspended is unknown.
func (s *session) take(m *redis.Message) error {
	now, sleep := s.clock.look()
	if sleep != s.sleep {
		return errSleep
	}
	heard := Heard{Channel: m.Channel, Payload: []byte(m.Payload), At: now}
	if n := s.buffer.put(heard); n > 0 {
		s.losses.add(n, errFull)
	}
	return nil
}

var errSilent = errors.New("Redis does not answer") //lint:ignore ST1005 Redis is a name

// keepAlive returns why the session must end. Pings go through the same
// connection as the messages: a late answer means that messages are late as well.
// A ping waits while go-redis connects, so keepAlive does not wait for it.
func (s *session) keepAlive(ctx context.Context) error {
	t := time.NewTicker(s.cfg.BlindAfter / 6)
	defer t.Stop()
	var since time.Time // when the last ping was sent
	failed := make(chan error, 1)
	for {
		select {
		case <-t.C:
		case err := <-failed:
			return fmt.Errorf("ping: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		}
		now, sleep := s.clock.look()
		switch {
		case sleep != s.sleep:
			return errSleep
		case !s.asked.Load():
			since = now
			s.asked.Store(true)
			s.wg.Go(func() {
				if err := s.sub.Ping(ctx); err != nil {
					failed <- err
				}
			})
		case elapsed(since, now) > s.cfg.BlindAfter/2:
			return fmt.Errorf("%w for %s", errSilent, elapsed(since, now))
		}
	}
}
