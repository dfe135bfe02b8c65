package broker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
)

func TestInfosTellHowManyTasksAreWhere(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, ctx, began := newBroker(t, rdb), t.Context(), time.Now()
		must(t, b.EnsureQueues(ctx, q+"-empty", q))
		must(t, b.EnsureQueues(ctx))
		ids := enqueue(t, b, q, 1, 2, 3)
		must(t, inspect(rdb).ArchiveTask(q, ids[2]))
		must(t, b.Pause(ctx, q))
		enqueue(t, b, q+"-gone", 4)
		must(t, rdb.Del(ctx, taskKey(q+"-gone", job(q+"-gone", 4).ID)).Err())

		got, err := b.Infos(ctx)
		must(t, err)
		got = slices.DeleteFunc(got, func(i QueueInfo) bool { return !strings.HasPrefix(i.Name, q) })
		want := []QueueInfo{
			{Name: q, Pending: 2, Archived: 1, Paused: true},
			{Name: q + "-empty"},
			{Name: q + "-gone", Pending: 1},
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(QueueInfo{}, "Oldest")); diff != "" {
			t.Error(diff)
		}
		if o := got[0].Oldest; o.Before(began.Add(-time.Second)) || o.After(time.Now().Add(time.Second)) {
			t.Errorf("the oldest waits since %s", o)
		}
		if !got[1].Oldest.IsZero() || !got[2].Oldest.IsZero() {
			t.Error("there is an oldest task where none is known")
		}
	})
}

func TestQueuesTellWhatTheEngineNeeds(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, ctx := newBroker(t, rdb), t.Context()
		begun, leave := make(chan string, 2), make(chan struct{})
		must(t, b.EnsureQueues(ctx, q+"-empty", q))
		serve(t, b, ServeConfig{Queues: []string{q}, Concurrency: 2, Handle: func(_ context.Context, o tasks.Order) error {
			begun <- o.Job
			<-leave
			return nil
		}})
		defer close(leave)
		ids := enqueue(t, b, q, 1, 2)
		receive(t, begun)
		receive(t, begun)
		must(t, b.Pause(ctx, q))
		enqueue(t, b, q, 3, 4)
		must(t, inspect(rdb).ArchiveTask(q, job(q, 4).ID))
		client := asynq.NewClientFromRedisClient(rdb)
		for _, id := range []string{"retried", "later"} {
			_, err := client.Enqueue(asynq.NewTask("x", nil), asynq.Queue(q), asynq.ProcessIn(time.Hour), asynq.TaskID(id))
			must(t, err)
		}
		must(t, rdb.ZRem(ctx, stateKey(q, Scheduled), "retried").Err())
		must(t, rdb.ZAdd(ctx, stateKey(q, Retry), redis.Z{Score: float64(time.Now().Add(time.Hour).Unix()), Member: "retried"}).Err())

		got, err := b.Queues(ctx)
		must(t, err)
		got = slices.DeleteFunc(got, func(s tasks.QueueState) bool { return !strings.HasPrefix(s.Name, q) })
		for _, s := range got {
			slices.Sort(s.Active)
		}
		want := []tasks.QueueState{{Name: q, Paused: true, Pending: 1, Delayed: 2, Active: ids}, {Name: q + "-empty"}}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestQueuesOfAnswersForTheQueuesNamed(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, ctx := newBroker(t, rdb), t.Context()
		ids := enqueue(t, b, q, 1, 2, 3)
		enqueue(t, b, q+"-b", 4)
		must(t, inspect(rdb).ArchiveTask(q, ids[0]))
		must(t, b.Pause(ctx, q+"-b"))
		// On a cluster they are on different servers.
		got, err := b.QueuesOf(ctx, []string{q + "-nowhere", q, "no queue", q + "-b", q})
		must(t, err)
		want := []tasks.QueueState{
			{Name: q + "-nowhere"}, {Name: q, Pending: 2}, {Name: "no queue"},
			{Name: q + "-b", Pending: 1, Paused: true}, {Name: q, Pending: 2},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		must(t, b.Resume(ctx, q+"-b"))
		must(t, b.Resume(ctx, q+"-b"))
		if got, err = b.QueuesOf(ctx, []string{q + "-b"}); err != nil || got[0].Paused {
			t.Errorf("after it was resumed: %+v, %v", got, err)
		}
	})
}

func TestNoQueuesAreNoError(t *testing.T) {
	t.Parallel()
	b, ctx := newBroker(t, redistest.Mini(t)), t.Context()
	infos, err := b.Infos(ctx)
	must(t, err)
	all, err := b.Queues(ctx)
	must(t, err)
	of, err := b.QueuesOf(ctx, nil)
	must(t, err)
	states, err := b.States(ctx, nil)
	must(t, err)
	if len(infos)+len(all)+len(of)+len(states) > 0 {
		t.Error(infos, all, of, states)
	}
}

func TestRedisThatIsUnreachableIsAnError(t *testing.T) {
	t.Parallel()
	b, ctx := newBroker(t, nowhere(t)), t.Context()
	_, infos := b.Infos(ctx)
	_, queues := b.Queues(ctx)
	_, of := b.QueuesOf(ctx, []string{"p", "q"})
	_, states := b.States(ctx, []tasks.JobRef{{Job: "id", Queue: "q"}})
	_, list := b.List(ctx, "q", Pending, 0, 0)
	for what, err := range map[string]error{"infos": infos, "queues": queues, "queues of": of, "states": states, "list": list} {
		if err == nil || !strings.HasPrefix(err.Error(), "broker: ") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestArchiveStaysBelowItsLimit(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, err := New(Config{Redis: rdb, ArchiveLimit: 10})
		must(t, err)
		ctx := t.Context()
		must(t, b.EnsureQueues(ctx, q, q+"-small"))
		for n := range 450 {
			id := fmt.Sprintf("PRP-1:%d:x", n)
			must(t, rdb.ZAdd(ctx, stateKey(q, Archived), redis.Z{Score: float64(n), Member: id}).Err())
			must(t, rdb.HSet(ctx, taskKey(q, id), "msg", "m", "state", "archived").Err())
		}
		must(t, b.TrimArchive(ctx))
		left, err := b.List(ctx, q, Archived, 0, 0)
		must(t, err)
		if len(left) != 9 || left[8] != "PRP-1:449:x" {
			t.Errorf("left: %v", left)
		}
		if keys := keysOf(t, rdb, "asynq:{"+q+"}:t:*"); len(keys) != 9 {
			t.Errorf("%d hashes are left", len(keys))
		}
	})
}

func TestQueuesOfOthersAreLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, err := New(Config{Redis: rdb, ArchiveLimit: 10})
		must(t, err)
		ctx, theirs := t.Context(), "mail-"+redistest.Name("q")
		must(t, rdb.SAdd(ctx, allQueues, theirs).Err())
		for n := range 30 {
			must(t, rdb.ZAdd(ctx, stateKey(theirs, Archived), redis.Z{Score: float64(n), Member: fmt.Sprint(n)}).Err())
		}
		must(t, b.TrimArchive(ctx))
		if n := rdb.ZCard(ctx, stateKey(theirs, Archived)).Val(); n != 30 {
			t.Errorf("of 30 archived tasks of somebody else %d are left", n)
		}
		states, err := b.Queues(ctx)
		must(t, err)
		if slices.ContainsFunc(states, func(s tasks.QueueState) bool { return s.Name == theirs }) {
			t.Errorf("it counts as a queue of ours: %+v", states)
		}
	})
}

func TestNamesThatBreakKeysAreRefused(t *testing.T) {
	t.Parallel()
	b, ctx := newBroker(t, nowhere(t)), t.Context()
	for _, q := range []string{"", "a{b}", "a b"} {
		_, listErr := b.List(ctx, q, Pending, 0, 0)
		for what, err := range map[string]error{
			"list":   listErr,
			"remove": b.Remove(ctx, q, "id"), "pause": b.Pause(ctx, q), "resume": b.Resume(ctx, q),
			"ensure": b.EnsureQueues(ctx, q), "enqueue": b.Enqueue(ctx, job(q, 1)),
		} {
			if err == nil {
				t.Errorf("%s takes the queue %q", what, q)
			}
		}
	}
	wantErr(t, b.Remove(ctx, "q", ""), tasks.ErrBadJobID)
	wantErr(t, b.Enqueue(ctx, tasks.Job{ID: "x", Queue: "q"}), tasks.ErrBadJobID)
}

func TestNewRefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	if _, err := New(Config{}); err == nil {
		t.Error("no client is accepted")
	}
	ring := redis.NewRing(&redis.RingOptions{})
	defer ring.Close()
	if _, err := New(Config{Redis: ring}); err == nil {
		t.Error("a client that cannot be copied is accepted")
	}
	if _, err := New(Config{Redis: ring, Dial: func(int) (redis.UniversalClient, error) { return ring, nil }}); err != nil {
		t.Error(err)
	}
}
