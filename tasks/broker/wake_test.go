package broker

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"regexp"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
)

// asynqDequeue is the SHA-1 of the dequeue script of Asynq v0.26.0, by which
// wake.go was written.
const asynqDequeue = "a8153319360adc71cdc370107f8ab9786f204765"

// spy is a hook that sees the scripts of a client.
type spy func(cmd redis.Cmder)

func (s spy) DialHook(next redis.DialHook) redis.DialHook { return next }
func (s spy) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
func (s spy) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		s(cmd)
		return next(ctx, cmd)
	}
}

// A failure here says that Asynq's dequeue script has changed: read it, see
// that wake.go still recognises it and that nil still means "nothing to do",
// then write down the new sum.
func TestDequeueScriptIsTheOneWeKnow(t *testing.T) {
	t.Parallel()
	rdb := redistest.Mini(t)
	sums := make(chan string, 100)
	rdb.AddHook(spy(func(cmd redis.Cmder) {
		if key, ok := scriptKey(cmd); ok && key == pendingKey("q") {
			script, _ := cmd.Args()[1].(string)
			if cmd.Name() == "eval" {
				sum := sha1.Sum([]byte(script))
				script = hex.EncodeToString(sum[:])
			}
			select {
			case sums <- script:
			default:
			}
		}
	}))
	s := asynq.NewServerFromRedisClient(rdb, asynq.Config{Queues: map[string]int{"q": 1}, Logger: newBroker(t, rdb).asynqLog})
	must(t, s.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error { return nil })))
	defer s.Shutdown()
	if got := receive(t, sums); got != asynqDequeue {
		t.Errorf("the dequeue script's sum is %s", got)
	}
}

func TestIdleServerIsQuietAndStillPrompt(t *testing.T) {
	t.Parallel()
	rdb := redistest.Server(t).Client()
	b, seen := newBroker(t, rdb), make(chan string, 1)
	queues := append(tasks.AgentQueues("dev-1"), "role:developer")
	s := serve(t, b, ServeConfig{Queues: queues, Handle: collect(seen)})
	blocked(t, s)
	before := commands(t, rdb)
	time.Sleep(2 * time.Second) // what is measured is that nothing happens
	if n := commands(t, rdb) - before; n >= 50 {
		t.Errorf("an idle server sent %d commands in 2 s", n)
	}
	// All waiters are blocked for up to 30 s: only being woken brings this soon.
	for i, q := range queues {
		id := enqueue(t, b, q, i)[0]
		if got := receive(t, seen); got != id {
			t.Fatalf("handled %s", got)
		}
		blocked(t, s)
	}
}

// commands counts what Redis was asked, commands within scripts included.
func commands(t *testing.T, rdb redis.UniversalClient) int {
	t.Helper()
	info, err := rdb.Info(t.Context(), "stats").Result()
	must(t, err)
	n, err := strconv.Atoi(regexp.MustCompile(`total_commands_processed:(\d+)`).FindStringSubmatch(info)[1])
	must(t, err)
	return n
}

func TestEveryProducerWakes(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, seen := newBroker(t, rdb), make(chan string, 1)
		var fail atomic.Bool
		fail.Store(true)
		s := serve(t, b, ServeConfig{Queues: []string{q, q + "-r"}, Handle: func(_ context.Context, o tasks.Order) error {
			seen <- o.Job
			if fail.Swap(false) {
				return tasks.Permanent(context.DeadlineExceeded)
			}
			return nil
		}})
		blocked(t, s)
		id := enqueue(t, b, q+"-r", 1)[0]
		receive(t, seen)
		wantState(t, b, q+"-r", id, Archived)
		blocked(t, s)
		must(t, inspect(rdb).RunTask(q+"-r", id)) // asynqmon's button
		if got := receive(t, seen); got != id {
			t.Fatalf("handled %s", got)
		}
	})
}

func TestPausedQueueHandsOutNothingUntilResumed(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, seen := newBroker(t, rdb), make(chan string, 3)
		must(t, b.Pause(t.Context(), q))
		must(t, b.Pause(t.Context(), q)) // twice is once
		held := enqueue(t, b, q, 1)[0]
		s := serve(t, b, ServeConfig{Queues: []string{q, q + "-other"}, Handle: collect(seen)})
		blocked(t, s)
		open := enqueue(t, b, q+"-other", 2)[0]
		if got := receive(t, seen); got != open {
			t.Fatalf("%s of a paused queue was handed out", got)
		}
		blocked(t, s)
		must(t, b.Resume(t.Context(), q))
		if got := receive(t, seen); got != held {
			t.Fatalf("handled %s", got)
		}
	})
}

func TestPausedQueueWithTasksIsQuiet(t *testing.T) {
	t.Parallel()
	rdb := redistest.Server(t).Client()
	b := newBroker(t, rdb)
	must(t, b.Pause(t.Context(), "q"))
	enqueue(t, b, "q", 1)
	s := serve(t, b, ServeConfig{Queues: []string{"q"}, Handle: always(nil)})
	blocked(t, s)
	before := commands(t, rdb)
	time.Sleep(2 * time.Second)
	if n := commands(t, rdb) - before; n >= 50 {
		t.Errorf("a server of a paused queue sent %d commands in 2 s", n)
	}
}

func TestServersOfOneQueueShareIt(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, seen := newBroker(t, rdb), make(chan string, 100)
		for range 3 {
			s := serve(t, b, ServeConfig{Queues: []string{q}, Concurrency: 2, Handle: collect(seen)})
			blocked(t, s)
		}
		var numbers []int
		for n := range 60 {
			numbers = append(numbers, n)
		}
		want := enqueue(t, b, q, numbers...)
		var got []string
		for range want {
			got = append(got, receive(t, seen))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("handled %v", got)
		}
	})
}

func TestKilledRedisComesBackAndIsServed(t *testing.T) {
	t.Parallel()
	r := redistest.Server(t)
	rdb := r.Client()
	b, seen := newBroker(t, rdb), make(chan string, 1)
	s := serve(t, b, ServeConfig{Queues: []string{"q", "r"}, Handle: collect(seen)})
	blocked(t, s)
	for n := range 2 {
		r.Kill()
		r.Restart() // empty, and with no script in its cache
		id := job("r", n).ID
		eventually(t, "Redis takes a task again", func() bool { return b.Enqueue(t.Context(), job("r", n)) == nil })
		if got := receive(t, seen); got != id {
			t.Fatalf("handled %s", got)
		}
		wantState(t, b, "r", id, Absent)
	}
}

func TestRunOutlivesItsRedis(t *testing.T) {
	t.Parallel()
	r := redistest.Server(t)
	b := newBroker(t, r.Client())
	begun, leave, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	serve(t, b, ServeConfig{Queues: []string{"q"}, Handle: func(ctx context.Context, _ tasks.Order) error {
		close(begun)
		<-leave
		ended <- ctx.Err()
		return nil
	}})
	enqueue(t, b, "q", 1)
	receive(t, begun)
	r.Kill()
	r.Restart()
	close(leave)
	must(t, receive(t, ended))
}

func TestUnknownScriptThatAsksInVainIsSlowed(t *testing.T) {
	t.Parallel()
	b := newBroker(t, nowhere(t))
	w := newWaker([]string{"q"}, nowhere(t), &b.slowed, b.asynqLog)
	defer w.close()
	var calls int
	process := w.ProcessHook(func(_ context.Context, cmd redis.Cmder) error {
		calls++
		return redis.Nil
	})
	ask := func() {
		wantErr(t, process(t.Context(), redis.NewCmd(t.Context(), "evalsha", "sum", 1, "asynq:{q}:newly-named")), redis.Nil)
	}
	for range strangerRate {
		ask()
	}
	if n := b.SlowedScripts(); n != 0 {
		t.Fatalf("%d answers were held back below the limit", n)
	}
	for range 5 {
		ask()
	}
	if n := b.SlowedScripts(); n == 0 || calls != strangerRate+5 {
		t.Fatalf("%d answers were held back, %d calls were made", n, calls)
	}
}

func TestQueueThatCannotBeReadDoesNotStarveTheOthers(t *testing.T) {
	t.Parallel()
	b := newBroker(t, nowhere(t))
	w := newWaker([]string{"broken", "fine"}, nowhere(t), &b.slowed, b.asynqLog)
	w.start()
	defer w.close()
	process := w.ProcessHook(func(_ context.Context, cmd redis.Cmder) error {
		if key, _ := scriptKey(cmd); key == pendingKey("broken") {
			return redis.ErrClosed
		}
		return nil
	})
	dequeue := func(q string) error {
		return process(t.Context(), redis.NewCmd(t.Context(), "evalsha", asynqDequeue, 1, pendingKey(q)))
	}
	for range 20 {
		wantErr(t, dequeue("broken"), redis.Nil)
		must(t, dequeue("fine"))
	}
}

func TestStoppedContextEndsWithItsServer(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	ctx := stopped{t.Context(), stop}
	must(t, ctx.Err())
	close(stop)
	<-ctx.Done()
	wantErr(t, ctx.Err(), context.Canceled)
}
