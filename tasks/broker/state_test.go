package broker

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/tasks"
)

// A failure here says that Asynq lays out its keys in another way.
func TestKeysAreAsynqs(t *testing.T) {
	t.Parallel()
	m := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: m.Addr()})
	defer rdb.Close()
	b, begun, leave := newBroker(t, rdb), make(chan string, 1), make(chan struct{})
	serve(t, b, ServeConfig{Queues: []string{"q"}, Handle: func(_ context.Context, o tasks.Order) error {
		begun <- o.Job
		<-leave
		return nil
	}})
	defer close(leave)
	enqueue(t, b, "q", 1)
	receive(t, begun)
	enqueue(t, b, "q", 2, 3, 4)
	must(t, inspect(rdb).ArchiveTask("q", job("q", 3).ID))
	_, err := asynq.NewClientFromRedisClient(rdb).Enqueue(asynq.NewTask("x", nil), asynq.Queue("q"), asynq.ProcessIn(time.Hour), asynq.TaskID("later"))
	must(t, err)
	must(t, inspect(rdb).PauseQueue("q"))

	active, archived := job("q", 1).ID, job("q", 3).ID
	for key, holds := range map[string]bool{
		pendingKey("q"):                 slices.Contains(list(t, m, pendingKey("q")), job("q", 2).ID),
		stateKey("q", Active):           slices.Equal(list(t, m, stateKey("q", Active)), []string{active}),
		leaseKey("q"):                   scored(m, leaseKey("q"), active),
		stateKey("q", Archived):         scored(m, stateKey("q", Archived), archived),
		stateKey("q", Scheduled):        scored(m, stateKey("q", Scheduled), "later"),
		taskKey("q", active) + " msg":   m.HGet(taskKey("q", active), "msg") != "",
		taskKey("q", active) + " state": m.HGet(taskKey("q", active), "state") == "active",
		pausedKey("q"):                  m.Exists(pausedKey("q")),
	} {
		if !holds {
			t.Errorf("%s is not what it is for Asynq", key)
		}
	}
	for _, key := range m.Keys() {
		if strings.HasPrefix(key, "asynq:{q}:") && !slices.Contains([]string{
			pendingKey("q"), stateKey("q", Active), leaseKey("q"), stateKey("q", Archived), stateKey("q", Scheduled), pausedKey("q"),
		}, key) && !strings.HasPrefix(key, taskKey("q", "")) {
			t.Errorf("Asynq has a key %s that nobody knows", key)
		}
	}
}

func list(t *testing.T, m *miniredis.Miniredis, key string) []string {
	t.Helper()
	ids, err := m.List(key)
	must(t, err)
	return ids
}

func scored(m *miniredis.Miniredis, key, id string) bool {
	_, err := m.ZScore(key, id)
	return err == nil
}

func TestStateIsWhereTheTaskIs(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, ctx := newBroker(t, rdb), t.Context()
		wantState(t, b, q+"-nowhere", "PRP-9:1:x", Absent)
		id := enqueue(t, b, q, 1)[0]
		wantState(t, b, q, id, Pending)
		must(t, inspect(rdb).ArchiveTask(q, id))
		wantState(t, b, q, id, Archived)
		must(t, inspect(rdb).RunTask(q, id))
		wantState(t, b, q, id, Pending)
		must(t, rdb.Del(ctx, taskKey(q, id)).Err())
		wantState(t, b, q, id, Absent)
	})
}

func TestStatesOfManyJobsComeInTheirOrder(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, ctx := newBroker(t, rdb), t.Context()
		ids := enqueue(t, b, q, 1, 2)
		other := enqueue(t, b, q+"-b", 3)[0]
		must(t, inspect(rdb).ArchiveTask(q, ids[1]))
		jobs := []tasks.JobRef{{Job: ids[0], Queue: q}, {Job: ids[1], Queue: q}, {Job: ids[0], Queue: "{no queue}"}, {Queue: q}, {Job: other, Queue: q + "-b"}, {Job: other, Queue: q}}
		want := []TaskState{Pending, Archived, Absent, Absent, Pending, Absent}
		for len(jobs) < 2*pipelineSize { // several pipelines
			jobs, want = append(jobs, tasks.JobRef{Job: ids[0], Queue: q + "-nowhere"}), append(want, Absent)
		}
		jobs, want = append(jobs, tasks.JobRef{Job: ids[1], Queue: q}), append(want, Archived)
		got, err := b.States(ctx, jobs)
		must(t, err)
		if !slices.Equal(got, want) {
			t.Errorf("states are %v, want %v", got, want)
		}
	})
}

func TestPendingIsInTheOrderOfService(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, ctx := newBroker(t, rdb), t.Context()
		ids := enqueue(t, b, q, 1, 2, 3)
		for from, want := range map[[2]int][]string{
			{0, 0}: ids, {0, 2}: ids[:2], {0, 9}: ids, {1, 1}: ids[1:2], {1, 0}: ids[1:], {2, 2}: ids[2:],
			{3, 1}: nil, {9, 0}: nil, {9, 9}: nil, {-1, 1}: ids[:1], {1, math.MaxInt}: ids[1:],
		} {
			got, err := b.List(ctx, q, Pending, from[0], from[1])
			must(t, err)
			if !slices.Equal(got, want) {
				t.Errorf("offset %d, limit %d: %v, want %v", from[0], from[1], got, want)
			}
		}
		seen := make(chan string, 3)
		serve(t, b, ServeConfig{Queues: []string{q}, Handle: collect(seen)})
		for _, want := range ids {
			if got := receive(t, seen); got != want {
				t.Errorf("handed out %s, the list said %s", got, want)
			}
		}
	})
}

func TestListOfEachStateIsPaged(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, ctx := newBroker(t, rdb), t.Context()
		ids := []string{"a", "b", "c"}
		for n, id := range ids {
			must(t, rdb.RPush(ctx, stateKey(q, Active), id).Err())
			for _, s := range []TaskState{Archived, Retry, Scheduled} {
				must(t, rdb.ZAdd(ctx, stateKey(q, s), redis.Z{Score: float64(n), Member: id}).Err())
			}
		}
		for _, s := range []TaskState{Active, Archived, Retry, Scheduled} {
			for from, want := range map[[2]int][]string{{0, 0}: ids, {0, 2}: ids[:2], {1, 1}: ids[1:2], {2, 5}: ids[2:], {3, 0}: nil} {
				got, err := b.List(ctx, q, s, from[0], from[1])
				must(t, err)
				if !slices.Equal(got, want) {
					t.Errorf("%s, offset %d, limit %d: %v, want %v", s, from[0], from[1], got, want)
				}
			}
		}
		if _, err := b.List(ctx, q, Absent, 0, 0); err == nil {
			t.Error("there is a list of absent tasks")
		}
	})
}

func TestRemoveTakesATaskFromWhereverItIs(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, ctx := newBroker(t, rdb), t.Context()
		ids := enqueue(t, b, q, 1, 2, 3)
		must(t, inspect(rdb).ArchiveTask(q, ids[1]))
		must(t, rdb.Del(ctx, taskKey(q, ids[2])).Err()) // its hash is gone
		for _, id := range append(ids, "PRP-9:1:absent") {
			must(t, b.Remove(ctx, q, id))
			must(t, b.Remove(ctx, q, id))
			wantState(t, b, q, id, Absent)
		}
		if keys := keysOf(t, rdb, "asynq:{"+q+"}:*"); len(keys) > 0 {
			t.Errorf("left: %v", keys)
		}
	})
}

func TestRemovedActiveTaskStaysRemoved(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, ctx := newBroker(t, rdb), t.Context()
		begun, leave := make(chan string, 2), make(chan error)
		serve(t, b, ServeConfig{Queues: []string{q}, Handle: func(_ context.Context, o tasks.Order) error {
			begun <- o.Job
			return <-leave
		}})
		id := enqueue(t, b, q, 1)[0]
		receive(t, begun)
		wantState(t, b, q, id, Active)
		must(t, b.Remove(ctx, q, id))
		leave <- tasks.RetryAfter(0, tasks.ErrBadJobID) // Asynq may not bring it back
		next := enqueue(t, b, q, 2)[0]
		if got := receive(t, begun); got != next {
			t.Errorf("%s came back", got)
		}
		leave <- nil
		wantState(t, b, q, next, Absent)
		wantState(t, b, q, id, Absent)
		if n := rdb.Exists(ctx, stateKey(q, Active), leaseKey(q), taskKey(q, id)).Val(); n > 0 {
			t.Errorf("%d keys are left", n)
		}
	})
}

func TestTaskWithoutItsHashStopsNobody(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, ctx, seen := newBroker(t, rdb), t.Context(), make(chan string, 1)
		ids := enqueue(t, b, q, 1, 2)
		must(t, rdb.Del(ctx, taskKey(q, ids[0])).Err())
		if _, err := b.Infos(ctx); err != nil {
			t.Errorf("Infos fails: %v", err)
		}
		serve(t, b, ServeConfig{Queues: []string{q}, Handle: collect(seen)})
		if got := receive(t, seen); got != ids[1] {
			t.Fatalf("handled %s", got)
		}
		wantState(t, b, q, ids[0], Absent)
		must(t, b.Remove(ctx, q, ids[0]))
		active, err := b.List(ctx, q, Active, 0, 0)
		must(t, err)
		if slices.Contains(active, ids[0]) {
			t.Error("it is still active")
		}
	})
}

func TestTaskThatAsynqCannotReadStopsNobody(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, ctx, seen := newBroker(t, rdb), t.Context(), make(chan string, 1)
		ids := enqueue(t, b, q, 1, 2)
		must(t, rdb.HSet(ctx, taskKey(q, ids[0]), "msg", "\xff\xff").Err())
		serve(t, b, ServeConfig{Queues: []string{q}, Handle: collect(seen)})
		if got := receive(t, seen); got != ids[1] {
			t.Fatalf("handled %s", got)
		}
		// It stays active, and Asynq's recovery of all the server's queues
		// fails until it is removed.
		wantState(t, b, q, ids[0], Active)
		must(t, b.Remove(ctx, q, ids[0]))
		wantState(t, b, q, ids[0], Absent)
	})
}
