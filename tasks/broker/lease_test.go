package broker

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/tasks"
)

// bubble runs a test in simulated time, which Asynq's lease of 30 s, its
// recovery after 60 s and our BLMOVE of 30 s would need otherwise.
func bubble(t *testing.T, test func(t *testing.T, m *miniredis.Miniredis, b *Broker)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := miniredis.NewMiniRedis()
		m.ClockTTL(true)
		rdb := redis.NewClient(&redis.Options{
			Addr:   "127.0.0.1:1", // never dialled; a name would be looked up outside the bubble
			Dialer: func(context.Context, string, string) (net.Conn, error) { return m.Dial() },
		})
		t.Cleanup(func() {
			_ = rdb.Close()
			m.Close()
			time.Sleep(time.Second) // go-redis' subscriptions take a moment to notice
		})
		test(t, m, newBroker(t, rdb))
	})
}

func TestLostLeaseStopsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, m *miniredis.Miniredis, b *Broker) {
		begun, leave := make(chan string, 10), make(chan error)
		s := serve(t, b, ServeConfig{Queues: []string{"q"}, Handle: func(ctx context.Context, o tasks.Order) error {
			begun <- o.Job
			return errors.Join(<-leave, ctx.Err())
		}})
		ids := enqueue(t, b, "q", 1)
		if got := <-begun; got != ids[0] {
			t.Fatalf("handled %s", got)
		}
		m.SetError("the network is away")
		time.Sleep(2 * time.Minute)
		m.SetError("")
		ids = append(ids, enqueue(t, b, "q", 2)...)
		time.Sleep(10 * time.Minute) // recovery hands the first task out again
		if len(begun) > 0 || s.Running() != 1 {
			t.Fatalf("%d more began beside the one handler that may run", len(begun))
		}
		leave <- nil // no error came from its context either
		if got := <-begun; got != ids[1] {
			t.Errorf("then %s began: a task that was done came back", got)
		}
		leave <- nil
		time.Sleep(10 * time.Minute)
		for _, id := range ids {
			wantState(t, b, "q", id, Absent)
		}
		if len(begun) > 0 {
			t.Errorf("%s began once more", <-begun)
		}
	})
}

func TestTaskOfALostLeaseIsHandedOutAgainIfItFailed(t *testing.T) {
	bubble(t, func(t *testing.T, m *miniredis.Miniredis, b *Broker) {
		begun, leave := make(chan string, 10), make(chan error)
		serve(t, b, ServeConfig{Queues: []string{"q"}, Handle: func(_ context.Context, o tasks.Order) error {
			begun <- o.Job
			return <-leave
		}})
		id := enqueue(t, b, "q", 1)[0]
		<-begun
		m.SetError("the network is away")
		time.Sleep(time.Minute)
		leave <- tasks.RetryAfter(time.Second, errors.New("not now"))
		m.SetError("")
		if got := <-begun; got != id {
			t.Errorf("handled %s", got)
		}
		leave <- nil
		wantState(t, b, "q", id, Absent)
	})
}

func TestIdleServerStaysQuiet(t *testing.T) {
	bubble(t, func(t *testing.T, m *miniredis.Miniredis, b *Broker) {
		seen := make(chan string, 1)
		serve(t, b, ServeConfig{Queues: []string{"q", "r"}, Handle: collect(seen)})
		time.Sleep(time.Minute)
		before := m.CommandCount()
		time.Sleep(10 * time.Minute)
		// Heartbeat, forwarder and janitor make about 4 commands a second, those
		// within scripts included; the waiting for tasks is lost among them.
		if n := m.CommandCount() - before; n > 10*60*5 {
			t.Errorf("%d commands in 10 minutes", n)
		}
		id := enqueue(t, b, "r", 1)[0]
		began := time.Now()
		if got := <-seen; got != id || time.Since(began) > 0 {
			t.Errorf("handled %s after %s", got, time.Since(began))
		}
	})
}

func TestRetryAfterIsNeverEarlyAndSoonEnough(t *testing.T) {
	bubble(t, func(t *testing.T, m *miniredis.Miniredis, b *Broker) {
		runs := make(chan time.Time, 10)
		serve(t, b, ServeConfig{Queues: []string{"q"}, Handle: func(context.Context, tasks.Order) error {
			runs <- time.Now()
			return tasks.RetryAfter(10*time.Second, errors.New("not now"))
		}})
		time.Sleep(1700 * time.Millisecond) // Asynq counts whole seconds
		enqueue(t, b, "q", 1)
		last := <-runs
		for range 5 {
			next := <-runs
			if d := next.Sub(last); d < 10*time.Second || d > 17*time.Second {
				t.Errorf("again after %s", d)
			}
			last = next
		}
	})
}
