package bus

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/mortal"
	"github.com/prpflow/prpflow/internal/redistest"
)

func TestListenerThatWasAsleepDropsWhatItHadAndSubscribesAnew(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		b := newBench(t, rdb)
		l := b.listener(rdb, ListenerConfig{})
		clock := &testClock{}
		l.clock.now = clock.now
		wake, first := make(chan struct{}), atomic.Bool{}
		b.start(l, func(context.Context, Heard) error {
			if first.CompareAndSwap(false, true) {
				<-wake
				return fmt.Errorf("too late")
			}
			return nil
		})
		b.publish("1", "2", "3")
		b.until("they wait", func() bool { l.buffer.mu.Lock(); defer l.buffer.mu.Unlock(); return len(l.buffer.items) >= 2 })
		clock.sleep(DefaultBlindAfter + time.Second)
		b.must(rdb.Publish(t.Context(), "agent:"+b.name, "of an unknown age").Err())
		b.until("it left the old subscription", func() bool { return strings.Contains(b.log.String(), errSleep.Error()) })
		close(wake)
		b.until("they are dropped", func() bool { return l.Dropped() >= 3 })
		b.until("it hears", l.Ready)
		b.publish("4")
		b.wantTexts("4")
	})
}

// Nothing comes after the sleep: the subscription is replaced all the same, or the
// next message would be dropped.
func TestListenerThatWasAsleepHearsTheNextMessage(t *testing.T) {
	t.Parallel()
	b := newBench(t, redistest.Server(t).Client())
	l := b.listener(b.rdb, ListenerConfig{BlindAfter: 2 * time.Second})
	clock := &testClock{}
	l.clock.now = clock.now
	b.start(l, nil)
	clock.sleep(3 * time.Second)
	b.until("it left the old subscription", func() bool { return strings.Contains(b.log.String(), errSleep.Error()) })
	b.until("it hears", l.Ready)
	b.publish("1")
	b.wantTexts("1")
}

// The environment of a child process that listens.
const (
	childAddr = "BUS_TEST_ADDR"
	childName = "BUS_TEST_NAME"
)

// childListens prints what it hears, and "ready" while it hears.
func childListens(ctx context.Context, addr string) {
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	l, err := NewListener(rdb, ListenerConfig{BlindAfter: time.Second})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go func() {
		for {
			if l.Ready() {
				fmt.Println("ready")
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	l.Listen(ctx, func(_ context.Context, h Heard) error {
		_, err := fmt.Println(string(h.Payload))
		return err
	})
}

// A process is stopped for three seconds. What was published meanwhile is in its
// connection when it goes on.
func TestStoppedProcessHandlesNothingOfTheTimeItWasStopped(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	rdb := server.Client()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childAddr+"="+server.Addr)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := mortal.Start(child); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_, _ = io.Copy(io.Discard, out)
		_ = child.Wait()
	}()
	lines := bufio.NewScanner(out)
	await := func(want string) {
		t.Helper()
		for lines.Scan() {
			switch lines.Text() {
			case want:
				return
			case "old":
				t.Fatal("it handled a message of the time when it was stopped")
			}
		}
		t.Fatalf("the child ended: %v", lines.Err())
	}
	publish := func(text string) {
		t.Helper()
		if err := rdb.Publish(t.Context(), "agent:dev-1", text).Err(); err != nil {
			t.Fatal(err)
		}
	}
	await("ready")
	publish("before")
	await("before")
	if err := child.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus // all its threads have stopped once this returns
	if _, err := syscall.Wait4(child.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("it did not stop: %v, %v", status, err)
	}
	for range 50 {
		publish("old")
	}
	time.Sleep(3 * time.Second)
	if err := child.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	defer close(stop)
	go func() { // until it hears again
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				_ = rdb.Publish(context.Background(), "agent:dev-1", "new").Err()
			}
		}
	}()
	await("new")
}

func TestSleepIsMeasuredOnBothClocks(t *testing.T) {
	t.Parallel()
	now := time.Now()
	wall := now.Round(0)
	for _, c := range []struct {
		from, to time.Time
		want     time.Duration
	}{
		{now, now.Add(time.Minute), time.Minute},
		{wall, wall.Add(time.Minute), time.Minute},
		{now, wall.Add(time.Minute), time.Minute}, // the monotonic clock did not go on
		{wall.Add(time.Minute), wall, -time.Minute},
	} {
		if got := elapsed(c.from, c.to); got != c.want {
			t.Errorf("from %s to %s: %s", c.from, c.to, got)
		}
	}
}
