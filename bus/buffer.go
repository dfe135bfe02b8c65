package bus

import (
	"context"
	"sync"
	"time"
)

// The most that a listener keeps for its handler.
const (
	maxMessages = 10_000
	maxBytes    = 64 << 20
)

// Heard is what came on a channel.
type Heard struct {
	// Channel is where it was published; Agent returns whose channel that is.
	Channel string
	// Payload is what was published: a message for Decode, or any bytes.
	Payload []byte
	// At is when this process received it.
	At time.Time
}

func (h Heard) size() int { return len(h.Channel) + len(h.Payload) }

// buffer is a queue between the connection and the handler, so that a slow
// handler never makes Redis close the connection.
type buffer struct {
	mu      sync.Mutex
	items   []Heard
	bytes   int
	current *Heard        // with the handler
	filled  chan struct{} // holds a token after a put
}

func newBuffer() *buffer { return &buffer{filled: make(chan struct{}, 1)} }

// put adds a message, and drops the oldest ones when there are too many.
func (b *buffer) put(h Heard) (dropped int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = append(b.items, h)
	b.bytes += h.size()
	for len(b.items) > maxMessages || b.bytes > maxBytes {
		b.pop()
		dropped++
	}
	select {
	case b.filled <- struct{}{}:
	default:
	}
	return dropped
}

// pop takes the oldest one out.
func (b *buffer) pop() Heard {
	first := b.items[0]
	b.items[0] = Heard{} // otherwise its payload lives as long as the array
	b.items = b.items[1:]
	b.bytes -= first.size()
	return first
}

// take waits for a message, which then counts as being with the handler until the
// next call. ok is false when ctx has ended.
func (b *buffer) take(ctx context.Context) (h Heard, ok bool) {
	for {
		if h, ok = b.tryTake(); ok {
			return h, true
		}
		select {
		case <-b.filled:
		case <-ctx.Done():
			return Heard{}, false
		}
	}
}

func (b *buffer) tryTake() (h Heard, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = nil
	if len(b.items) == 0 {
		return Heard{}, false
	}
	h = b.pop()
	b.current = &h
	return h, true
}

// oldest is the arrival of the oldest message that is not handled; zero without one.
func (b *buffer) oldest() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.current != nil:
		return b.current.At
	case len(b.items) > 0:
		return b.items[0].At
	}
	return time.Time{}
}
