package reliable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// settlement is what becomes of a message that a handler is done with.
type settlement struct {
	message  Message
	err      error
	released bool // it was not begun, or interrupted at the end
	place    int  // among the messages of this call of Consume
}

// settlements are told to Redis together: all that came while the last were on
// their way.
type settlements struct {
	mu   sync.Mutex
	open []settlement
	more chan struct{}
}

func (s *settlements) add(one settlement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = append(s.open, one)
	s.signal()
}

// signal wakes run. The caller holds mu.
func (s *settlements) signal() {
	if s.more == nil {
		s.more = make(chan struct{}, 1)
	}
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *settlements) wake() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.more == nil {
		s.more = make(chan struct{}, 1)
	}
	return s.more
}

// run tells Redis until ctx ends. What it does not answer is told again: until it
// is, the message is in hand.
func (s *settlements) run(ctx context.Context, c *consumer) {
	var wait time.Duration
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake():
		}
		err := s.tell(ctx, c, false)
		if err == nil {
			wait = 0
			continue
		}
		wait = min(max(2*wait, 50*time.Millisecond), time.Second)
		if ctx.Err() == nil {
			c.cfg.Log.Warn("messages are not acknowledged yet, trying again", "in", wait, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		s.mu.Lock()
		s.signal()
		s.mu.Unlock()
	}
}

// lastTries bounds how often the last settlements are told before the worker ends.
const lastTries = 5

// ErrUnsettled says that the outcome of a handler could not be told to Redis: its
// message is delivered again.
var ErrUnsettled = errors.New("the outcome could not be told to Redis, the message is delivered again")

// flush tells Redis the last. What it does not answer comes home with the lease.
func (s *settlements) flush(ctx context.Context, c *consumer) error {
	for try := range lastTries {
		err := s.tell(ctx, c, true)
		if err == nil {
			return nil
		}
		if try == lastTries-1 {
			return fmt.Errorf("%w: %w", ErrUnsettled, err)
		}
		time.Sleep(100 * time.Millisecond << try)
	}
	return nil
}

// tell tells Redis what is open. What failed stays open. What is given back is told
// last and together, so that it comes home in its order.
func (s *settlements) tell(ctx context.Context, c *consumer, last bool) error {
	s.mu.Lock()
	open := s.open
	s.open = nil
	s.mu.Unlock()
	var left []settlement
	var failures []error
	do := func(some []settlement, f func() error) {
		if err := f(); err != nil {
			left, failures = append(left, some...), append(failures, err)
			return
		}
		c.settled(len(some))
	}
	var acks, released []settlement
	for _, one := range open {
		switch {
		case one.released:
			released = append(released, one)
		case one.err == nil:
			acks = append(acks, one)
		default:
			do([]settlement{one}, func() error { return c.q.fails(ctx, one) })
		}
	}
	if len(acks) > 0 {
		do(acks, func() error { return c.q.Ack(ctx, idsOf(acks)...) })
	}
	if !last {
		left = append(left, released...)
	} else if len(released) > 0 {
		slices.SortFunc(released, func(a, b settlement) int { return a.place - b.place })
		do(released, func() error { return c.q.Release(ctx, messagesOf(released)...) })
	}
	s.mu.Lock()
	s.open = append(left, s.open...)
	s.mu.Unlock()
	return errors.Join(failures...)
}

func idsOf(some []settlement) []string {
	ids := make([]string, len(some))
	for i, one := range some {
		ids[i] = one.message.ID
	}
	return ids
}

func messagesOf(some []settlement) []Message {
	messages := make([]Message, len(some))
	for i, one := range some {
		messages[i] = one.message
	}
	return messages
}

// fails tells Redis of a failed delivery.
func (q *Queue) fails(ctx context.Context, one settlement) error {
	var fatal *fatalError
	var later *laterError
	switch {
	case errors.As(one.err, &fatal):
		return q.Bury(ctx, one.message, one.err)
	case errors.As(one.err, &later):
		return q.NackAfter(ctx, max(0, later.after), one.err, one.message)
	}
	return q.Nack(ctx, one.err, one.message)
}

// settled makes room for as many messages.
func (c *consumer) settled(n int) {
	c.count(-n)
	select {
	case c.room <- struct{}{}:
	default:
	}
}
