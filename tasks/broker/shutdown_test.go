package broker

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
)

func TestIdleServerShutsDown(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		s := serve(t, newBroker(t, rdb), ServeConfig{Queues: []string{q, q + "-r"}, Handle: always(nil)})
		blocked(t, s)
		shutsDown(t, s, t.Context())
		shutsDown(t, s, t.Context()) // again is nothing
	})
}

// shutsDown fails where Shutdown waits for a BLMOVE or for Redis.
func shutsDown(t *testing.T, s *Server, ctx context.Context) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(ctx) }()
	must(t, receive(t, done))
}

func TestServerShutsDownWithoutRedis(t *testing.T) {
	t.Parallel()
	r := redistest.Server(t)
	s := serve(t, newBroker(t, r.Client()), ServeConfig{Queues: []string{"q"}, Handle: always(nil)})
	blocked(t, s)
	r.Kill()
	shutsDown(t, s, t.Context())
}

// Asynq's subscriber panics where the client is closed under its subscription, at some
// moments of an outage.
func TestServersShutDownAtAnyMomentOfAnOutage(t *testing.T) {
	t.Parallel()
	r := redistest.Server(t)
	b := newBroker(t, r.Client())
	var servers []*Server
	for i := range 24 {
		s, err := b.Serve(ServeConfig{Queues: []string{fmt.Sprintf("agent:a%d", i)}, Handle: func(context.Context, tasks.Order) error { return nil }})
		must(t, err)
		servers = append(servers, s)
	}
	time.Sleep(200 * time.Millisecond) // they have subscribed
	r.Kill()
	var wg sync.WaitGroup
	for i, s := range servers {
		wg.Go(func() {
			time.Sleep(time.Duration(i) * 60 * time.Millisecond)
			if err := s.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestServerThatNeverSawRedisShutsDown(t *testing.T) {
	t.Parallel()
	s := serve(t, newBroker(t, nowhere(t)), ServeConfig{Queues: []string{"q"}, Handle: always(nil)})
	shutsDown(t, s, t.Context())
}

func TestStoppedServerTakesNothing(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, begun, leave := newBroker(t, rdb), make(chan string, 2), make(chan struct{})
		s := serve(t, b, ServeConfig{Queues: []string{q}, Concurrency: 2, Handle: func(_ context.Context, o tasks.Order) error {
			begun <- o.Job
			<-leave
			return nil
		}})
		first := enqueue(t, b, q, 1)[0]
		receive(t, begun)
		s.Stop()
		s.Stop()
		second := enqueue(t, b, q, 2)[0]
		if s.Running() != 1 {
			t.Errorf("%d handlers run", s.Running())
		}
		close(leave)
		must(t, s.Shutdown(t.Context()))
		wantState(t, b, q, first, Absent)
		wantState(t, b, q, second, Pending)
	})
}

func TestShutdownWaitsForHandlers(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, begun, leave := newBroker(t, rdb), make(chan string, 1), make(chan struct{})
		s := serve(t, b, ServeConfig{Queues: []string{q}, Handle: func(ctx context.Context, o tasks.Order) error {
			begun <- o.Job
			<-leave
			return ctx.Err()
		}})
		id := enqueue(t, b, q, 1)[0]
		receive(t, begun)
		done := make(chan error, 1)
		go func() { done <- s.Shutdown(t.Context()) }()
		eventually(t, "the server is stopping", s.waker.closed)
		if len(done) > 0 {
			t.Fatal("Shutdown did not wait")
		}
		close(leave)
		must(t, receive(t, done))
		wantState(t, b, q, id, Absent)
	})
}

func TestShutdownTellsHandlersThatTimeIsUp(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, begun, cause := newBroker(t, rdb), make(chan string, 1), make(chan error, 1)
		s := serve(t, b, ServeConfig{Queues: []string{q}, Handle: func(ctx context.Context, o tasks.Order) error {
			begun <- o.Job
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return tasks.ErrStale
		}})
		id := enqueue(t, b, q, 1)[0]
		receive(t, begun)
		shutsDown(t, s, over(t))
		wantErr(t, receive(t, cause), ErrShutdown)
		wantState(t, b, q, id, Absent)
	})
}

func TestTaskOfAHandlerThatNeverReturnsIsPutBack(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, begun, leave := newBroker(t, rdb), make(chan string, 1), make(chan struct{})
		s := serve(t, b, ServeConfig{Queues: []string{q}, Handle: func(_ context.Context, o tasks.Order) error {
			begun <- o.Job
			<-leave
			return nil
		}})
		ids := enqueue(t, b, q, 1, 2)
		receive(t, begun)
		if err := s.Shutdown(over(t)); err == nil {
			t.Error("Shutdown did not say that a handler still runs")
		}
		close(leave)
		next, err := b.List(t.Context(), q, Pending, 0, 1)
		must(t, err)
		if len(next) != 1 || next[0] != ids[0] {
			t.Errorf("next is %v, want %s", next, ids[0])
		}
	})
}

// over is a context that has ended.
func over(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
