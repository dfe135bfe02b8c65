package reliable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prpflow/prpflow/internal/redistest"
)

// seen notes what handlers were given.
type seen struct {
	mu  sync.Mutex
	ids []string
}

func (s *seen) add(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, id)
}

func (s *seen) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ids)
}

func (s *seen) handler(_ context.Context, m Message) error {
	s.add(m.ID)
	return nil
}

// numbered are ids in their order.
func numbered(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("m%04d", i))
	}
	return ids
}

func TestConsumeGivesEachMessageOnceAndInOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, want := b.worker("w"), numbered(1200)
		b.push(q, want...)
		var got seen
		b.must(q.Consume(t.Context(), got.handler, ConsumeConfig{Prefetch: 100, Idle: 50 * time.Millisecond}))
		if ids := got.list(); !slices.Equal(ids, want) {
			t.Errorf("%d messages, or another order", len(ids))
		}
		b.wantNothingKept(q)
		b.wantBooks(q, Books{Pushed: 1200, Done: 1200})
		if n := b.rdb.ZCard(t.Context(), q.keys.Takers).Val(); n != 0 {
			t.Errorf("%d workers are remembered", n)
		}
	})
}

func TestConsumeRunsSoManyHandlersAtATime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, numbered(60)...)
		var running, most atomic.Int64
		all := make(chan struct{})
		b.must(q.Consume(t.Context(), func(context.Context, Message) error {
			n := running.Add(1)
			defer running.Add(-1)
			if most.Store(max(most.Load(), n)); n == 4 {
				select {
				case <-all:
				default:
					close(all)
				}
			}
			<-all // until four are here at once
			return nil
		}, ConsumeConfig{Concurrency: 4, Idle: 50 * time.Millisecond}))
		if most.Load() != 4 {
			t.Errorf("%d handlers at a time, want 4", most.Load())
		}
		b.wantBooks(q, Books{Pushed: 60, Done: 60})
	})
}

func TestHandlersAnswerDecides(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", MaxAttempts: 2, Backoff: time.Millisecond})
		b.push(q, "fails", "panics", "fatal", "later", "fine")
		_, err := q.Push(t.Context(), Message{ID: "recovers"})
		b.must(err)
		b.must(q.Consume(t.Context(), func(_ context.Context, m Message) error {
			switch m.ID {
			case "fails":
				return errBad
			case "panics":
				panic("oh")
			case "fatal":
				return fmt.Errorf("told: %w", Fatal(errBad))
			case "later":
				return RetryAfter(time.Hour, errBad)
			case "recovers":
				if m.Attempt == 0 {
					return errBad
				}
			}
			return nil
		}, ConsumeConfig{Concurrency: 3, Idle: 300 * time.Millisecond}))
		reasons := map[string]string{}
		for _, d := range b.dead(q) {
			reasons[d.ID] = fmt.Sprintf("%d %s", d.Attempts, d.Reason)
		}
		if len(reasons) != 3 || reasons["fails"] != "2 bad input" || reasons["fatal"] != "1 told: bad input" || !strings.HasPrefix(reasons["panics"], "2 the handler panicked: oh") {
			t.Errorf("dead letters: %q", reasons)
		}
		b.wantBooks(q, Books{Pushed: 6, Done: 2, Dead: 3, Delayed: 1})
	})
}

func TestConsumeEndsAfterItsLimit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2", "3")
		var got seen
		b.must(q.Consume(t.Context(), got.handler, ConsumeConfig{Limit: 2, Concurrency: 5, Prefetch: 5}))
		b.wantWaiting(q, "3")
		b.wantBooks(q, Books{Pushed: 3, Done: 2, Waiting: 1})
	})
}

func TestLeaseIsRenewedWhileAHandlerRuns(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "slow", Lease: 200 * time.Millisecond})
		rival := b.open(b.rdb, Config{Name: b.name, Worker: "rival"})
		b.push(q, "1")
		var got seen
		b.must(q.Consume(t.Context(), func(ctx context.Context, m Message) error {
			got.add(m.ID)
			for range 10 {
				if _, err := rival.Receive(ctx, 100*time.Millisecond); !errors.Is(err, ErrEmpty) {
					t.Errorf("a rival got it: %v", err)
				}
				b.must(rival.Tend(ctx))
			}
			return ctx.Err()
		}, ConsumeConfig{Limit: 1}))
		b.want("handled", messages(got.list()...), "1")
		b.wantBooks(q, Books{Pushed: 1, Done: 1})
	})
}

func TestDrainLetsHandlersFinishAndGivesBackTheRest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2", "3", "4")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var got seen
		b.must(q.Consume(ctx, func(run context.Context, m Message) error {
			got.add(m.ID)
			b.until("all are taken", func() bool { return b.rdb.LLen(t.Context(), q.keys.Pending).Val() == 0 })
			cancel()
			select {
			case <-run.Done():
				t.Error("the handler was interrupted within the time to drain")
			case <-time.After(50 * time.Millisecond):
			}
			return nil
		}, ConsumeConfig{Prefetch: 10, Drain: time.Minute}))
		b.want("handled", messages(got.list()...), "1")
		b.wantWaiting(q, "2", "3", "4")
		b.wantBooks(q, Books{Pushed: 4, Done: 1, Waiting: 3})
		if m := b.take(q, 1)[0]; m.Attempt != 0 {
			t.Errorf("what was not begun was counted: %+v", m)
		}
	})
}

func TestDrainInterruptsWhoTakesTooLong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", Backoff: time.Hour, MaxBackoff: time.Hour})
		b.push(q, "1")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		b.must(q.Consume(ctx, func(run context.Context, _ Message) error {
			cancel()
			<-run.Done()
			return run.Err()
		}, ConsumeConfig{Drain: 10 * time.Millisecond}))
		b.wantBooks(q, Books{Pushed: 1, Waiting: 1})
		if m := b.take(q, 1)[0]; m.Attempt != 0 {
			t.Errorf("the end of its worker was counted: %+v", m)
		}
	})
}

// A worker that was cut off may not go on as if nothing had happened.
func TestHandlerIsToldThatItsLeaseHasLapsed(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	b := &bench{T: t, rdb: server.Client(), name: "mail"}
	q := b.open(b.rdb, Config{Name: "mail", Worker: "w", Lease: 200 * time.Millisecond})
	b.push(q, "1")
	cause := make(chan error, 1)
	b.must(q.Consume(t.Context(), func(ctx context.Context, _ Message) error {
		server.Kill()
		select {
		case <-ctx.Done():
			cause <- context.Cause(ctx)
		case <-time.After(patience):
			cause <- errors.New("never told")
		}
		server.Restart()
		return nil
	}, ConsumeConfig{Limit: 1}))
	if err := <-cause; !errors.Is(err, errLapsed) {
		t.Errorf("told: %v", err)
	}
}

func TestConsumeGoesOnThroughAnOutage(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	b := &bench{T: t, rdb: server.Client(), name: "mail"}
	q := b.open(b.rdb, Config{Name: "mail", Worker: "w"})
	ctx, cancel := context.WithCancel(t.Context())
	var got seen
	ended := make(chan error, 1)
	go func() { ended <- q.Consume(ctx, got.handler, ConsumeConfig{}) }()
	b.push(q, "1")
	b.until("the first is done", func() bool { return len(got.list()) == 1 })
	server.Kill()
	server.Restart()
	b.until("Redis takes messages again", func() bool {
		_, err := q.Push(t.Context(), messages("2")...)
		return err == nil
	})
	b.until("the second is done", func() bool { return slices.Contains(got.list(), "2") })
	cancel()
	b.must(<-ended)
}

func TestErrorsOfHandlersSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for _, err := range []error{Fatal(errBad), RetryAfter(time.Second, errBad)} {
		if !errors.Is(err, errBad) || err.Error() != errBad.Error() {
			t.Errorf("%v hides what it wraps", err)
		}
	}
}
