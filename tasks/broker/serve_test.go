package broker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/tasks"
)

func TestEnqueuedTaskIsHandledOnceAndGone(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, seen := newBroker(t, rdb), make(chan string, 10)
		ids := enqueue(t, b, q, 1, 1) // the second is the same job
		serve(t, b, ServeConfig{Queues: []string{q}, Handle: collect(seen)})
		if got := receive(t, seen); got != ids[0] {
			t.Fatalf("handled %s", got)
		}
		wantState(t, b, q, ids[0], Absent)
		enqueue(t, b, q, 2)
		if got := receive(t, seen); got != job(q, 2).ID {
			t.Fatalf("handled %s, the same job ran twice", got)
		}
	})
}

func TestHigherPriorityIsServedFirst(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, seen := newBroker(t, rdb), make(chan string)
		queues := []string{q + ":p0", q, q + ":p3"}
		low := enqueue(t, b, queues[2], 1)
		mid := enqueue(t, b, queues[1], 2, 3)
		high := enqueue(t, b, queues[0], 4)
		s := serve(t, b, ServeConfig{Queues: queues, Handle: collect(seen)})
		got := []string{receive(t, seen), receive(t, seen)}
		eventually(t, "the next task is taken, its handler waits for us", func() bool {
			ids, err := b.List(t.Context(), queues[1], Pending, 0, 0)
			must(t, err)
			return len(ids) == 0
		})
		late := enqueue(t, b, queues[0], 5)
		eventually(t, "the server has heard of the late one", func() bool {
			return !s.waker.waiters[pendingKey(queues[0])].waiting()
		})
		for range 3 {
			got = append(got, receive(t, seen))
		}
		want := slices.Concat(high, mid, late, low)
		if !slices.Equal(got, want) {
			t.Fatalf("served %v, want %v", got, want)
		}
	})
}

func TestHandlersAnswerDecides(t *testing.T) {
	broken := errors.New("the disk is full")
	for name, c := range map[string]struct {
		answer  error
		state   TaskState
		retried int
		delay   time.Duration
	}{
		"stale is forgotten":               {tasks.ErrStale, Absent, 0, 0},
		"permanent is archived":            {tasks.Permanent(broken), Archived, 0, 0},
		"retry-after is no failure":        {tasks.RetryAfter(time.Hour, broken), Retry, 0, time.Hour},
		"any other error is tried again":   {broken, Retry, 1, 4 * time.Second},
		"permanent within retry-after":     {tasks.RetryAfter(time.Hour, tasks.Permanent(broken)), Retry, 0, time.Hour},
		"retry-after within permanent":     {tasks.Permanent(tasks.RetryAfter(time.Hour, broken)), Archived, 0, 0},
		"stale counts for more than all":   {tasks.RetryAfter(time.Hour, tasks.ErrStale), Absent, 0, 0},
		"a context's end is only an error": {context.Canceled, Retry, 1, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
				b := newBroker(t, rdb)
				id := enqueue(t, b, q, 1)[0]
				began := time.Now()
				serve(t, b, ServeConfig{Queues: []string{q}, Handle: always(c.answer)})
				wantState(t, b, q, id, c.state)
				if c.state == Absent {
					return
				}
				info, err := inspect(rdb).GetTaskInfo(q, id)
				must(t, err)
				if info.LastErr != c.answer.Error() || info.Retried != c.retried {
					t.Errorf("Asynq says %q, %d retries", info.LastErr, info.Retried)
				}
				if c.state == Retry && info.NextProcessAt.Before(began.Add(c.delay)) {
					t.Errorf("again at %s, %s is too early", info.NextProcessAt, time.Until(info.NextProcessAt))
				}
			})
		})
	}
}

func TestPanicIsAnErrorLikeAnyOther(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, seen := newBroker(t, rdb), make(chan string, 1)
		ids := enqueue(t, b, q, 1, 2)
		serve(t, b, ServeConfig{Queues: []string{q}, Handle: func(_ context.Context, o tasks.Order) error {
			if o.Job == ids[0] {
				panic("a bug")
			}
			seen <- o.Job
			return nil
		}})
		receive(t, seen)
		wantState(t, b, q, ids[0], Retry)
	})
}

func TestWhatIsNoOrderIsArchivedUnrun(t *testing.T) {
	good, err := job("q", 1).Order().Encode()
	must(t, err)
	for name, c := range map[string]struct{ payload, says string }{
		"no JSON":          {"hello", "order is not JSON"},
		"no version":       {`{}`, "order has version 0"},
		"another job's id": {string(good), "it holds the order of job q-1:1:abc"},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
				b := newBroker(t, rdb)
				_, err := asynq.NewClientFromRedisClient(rdb).Enqueue(asynq.NewTask("prp.develop", []byte(c.payload)), asynq.Queue(q), asynq.TaskID("by-hand"))
				must(t, err)
				serve(t, b, ServeConfig{Queues: []string{q}, Handle: func(context.Context, tasks.Order) error {
					t.Error("the handler was called")
					return nil
				}})
				wantState(t, b, q, "by-hand", Archived)
				info, err := inspect(rdb).GetTaskInfo(q, "by-hand")
				must(t, err)
				if !strings.Contains(info.LastErr, c.says) {
					t.Errorf("Asynq says %q", info.LastErr)
				}
			})
		})
	}
}

// C22: two versions of the program share a Redis.
func TestTaskOfANewerProgramIsLeftForIt(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		const id, payload = "PRP-7:3:abc", `{"v":2,"job":{"id":"PRP-7:3:abc"}}`
		began := time.Now()
		_, err := asynq.NewClientFromRedisClient(rdb).Enqueue(asynq.NewTask("prp.develop", []byte(payload)), asynq.Queue(q), asynq.TaskID(id), asynq.MaxRetry(1))
		must(t, err)
		old := newBroker(t, rdb)
		s := serve(t, old, ServeConfig{Queues: []string{q}, Handle: func(context.Context, tasks.Order) error {
			t.Error("the handler was called")
			return nil
		}})
		for range 2 { // it may be taken any number of times
			wantState(t, old, q, id, Retry)
			info, err := inspect(rdb).GetTaskInfo(q, id)
			must(t, err)
			if info.Retried != 0 || info.NextProcessAt.Before(began.Add(9*time.Second)) || !strings.Contains(info.LastErr, "it has version 2") {
				t.Errorf("%d retries are spent, again at %s, because of %q", info.Retried, info.NextProcessAt, info.LastErr)
			}
			must(t, inspect(rdb).RunTask(q, id)) // what its time would do
		}
		wantState(t, old, q, id, Retry)
		must(t, s.Shutdown(t.Context()))

		seen := make(chan string, 1)
		newer := asynq.NewServerFromRedisClient(rdb, asynq.Config{Queues: map[string]int{q: 1}, TaskCheckInterval: 50 * time.Millisecond, LogLevel: asynq.FatalLevel})
		must(t, newer.Start(asynq.HandlerFunc(func(_ context.Context, task *asynq.Task) error {
			seen <- string(task.Payload())
			return nil
		})))
		defer newer.Shutdown()
		must(t, inspect(rdb).RunTask(q, id))
		if got := receive(t, seen); got != payload {
			t.Errorf("the newer program got %s", got)
		}
		wantState(t, old, q, id, Absent)
	})
}

func TestCancelButtonReachesTheHandler(t *testing.T) {
	for name, c := range map[string]struct {
		answer error
		state  TaskState
	}{
		"the delay it asks for is kept":   {tasks.RetryAfter(time.Hour, errors.New("stopped")), Retry},
		"a task it is done with is gone":  {nil, Absent},
		"a task that is stale is gone":    {tasks.ErrStale, Absent},
		"an error comes back after a bit": {errors.New("stopped"), Retry},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
				b, causes, begun := newBroker(t, rdb), make(chan error, 1), make(chan string, 1)
				serve(t, b, ServeConfig{Queues: []string{q}, Handle: func(ctx context.Context, o tasks.Order) error {
					begun <- o.Job
					<-ctx.Done()
					causes <- context.Cause(ctx)
					return c.answer
				}})
				id := enqueue(t, b, q, 1)[0]
				receive(t, begun)
				eventually(t, "the button is heard", func() bool {
					must(t, inspect(rdb).CancelProcessing(id)) // lost if Asynq has not subscribed yet
					return len(causes) > 0
				})
				wantErr(t, receive(t, causes), tasks.ErrCancelled)
				wantState(t, b, q, id, c.state)
				if c.state == Retry {
					info, err := inspect(rdb).GetTaskInfo(q, id)
					must(t, err)
					if long := time.Until(info.NextProcessAt) > time.Minute; long != (delayOf(c.answer) > time.Minute) {
						t.Errorf("again at %s", info.NextProcessAt)
					}
				}
			})
		})
	}
}

func TestCancelledHandlerKeepsItsSlot(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, begun, leave := newBroker(t, rdb), make(chan string, 2), make(chan struct{})
		serve(t, b, ServeConfig{Queues: []string{q}, Handle: func(ctx context.Context, o tasks.Order) error {
			begun <- o.Job
			if o.PRP == job(q, 1).PRP {
				<-ctx.Done()
				<-leave
			}
			return nil
		}})
		ids := enqueue(t, b, q, 1, 2)
		receive(t, begun)
		pipe := make(chan struct{})
		go func() { // press until it is heard
			defer close(pipe)
			for range 50 {
				_ = inspect(rdb).CancelProcessing(ids[0])
				time.Sleep(10 * time.Millisecond)
			}
		}()
		<-pipe
		if len(begun) > 0 {
			t.Fatal("a second handler ran beside the first, with a concurrency of 1")
		}
		close(leave)
		if got := receive(t, begun); got != ids[1] {
			t.Fatalf("then %s ran", got)
		}
	})
}

func TestServeRefusesNonsense(t *testing.T) {
	t.Parallel()
	b := newBroker(t, nowhere(t))
	for _, cfg := range []ServeConfig{
		{Queues: []string{"q"}},
		{Handle: always(nil)},
		{Handle: always(nil), Queues: []string{"q", "q"}},
		{Handle: always(nil), Queues: []string{"{q}"}},
	} {
		if _, err := b.Serve(cfg); err == nil {
			t.Errorf("%v was accepted", cfg.Queues)
		}
	}
}
