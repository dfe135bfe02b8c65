package bus

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Why a message was dropped.
var (
	errLate  = errors.New("it was not handled in time")
	errSleep = errors.New("this process was suspended")
	errFull  = errors.New("the handler is too slow")
)

func (l *Listener) handleAll(ctx context.Context, handle func(context.Context, Heard) error) {
	for {
		h, ok := l.buffer.take(ctx)
		if !ok {
			return
		}
		if err := l.handleOne(ctx, h, handle); err != nil {
			l.losses.add(1, err)
		}
	}
}

// handleOne returns an error when the message must be dropped. After the process
// was suspended, that is every message received before.
func (l *Listener) handleOne(ctx context.Context, h Heard, handle func(context.Context, Heard) error) error {
	var failed error
	for wait := firstWait; ; wait = min(2*wait, longestHandle) {
		now, _ := l.clock.look()
		left := l.cfg.BlindAfter - elapsed(h.At, now)
		switch {
		case left <= 0 && failed != nil:
			return fmt.Errorf("%w: %w", errLate, failed)
		case left <= 0:
			return errLate
		}
		if failed = l.call(ctx, left, h, handle); failed == nil || ctx.Err() != nil {
			return nil
		}
		pause(ctx, min(wait, left))
	}
}

func (l *Listener) call(ctx context.Context, left time.Duration, h Heard, handle func(context.Context, Heard) error) error {
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	return handle(ctx, h)
}
