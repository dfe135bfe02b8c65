package broker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
)

func TestQueuesTellWhatLiesWhere(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, ctx, began := newBroker(t, rdb), t.Context(), time.Now()
		must(t, b.EnsureQueues(ctx, q+"-empty", q))
		must(t, b.EnsureQueues(ctx))
		ids := enqueue(t, b, q, 1, 2, 3)
		must(t, inspect(rdb).ArchiveTask(q, ids[2]))
		must(t, b.Pause(ctx, q))
		enqueue(t, b, q+"-gone", 4)
		must(t, rdb.Del(ctx, taskKey(q+"-gone", job(q+"-gone", 4).ID)).Err())

		got, err := b.Queues(ctx)
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

func TestNoQueuesAreNoError(t *testing.T) {
	t.Parallel()
	got, err := newBroker(t, redistest.Mini(t)).Queues(t.Context())
	must(t, err)
	if len(got) > 0 {
		t.Error(got)
	}
}

func TestPausedSaysWhatPauseAndResumeDid(t *testing.T) {
	each(t, func(t *testing.T, rdb redis.UniversalClient, q string) {
		b, ctx := newBroker(t, rdb), t.Context()
		want := func(want bool) {
			t.Helper()
			all, err := b.PausedOf(ctx, []string{q})
			got := all[q]
			must(t, err)
			if got != want {
				t.Errorf("paused is %v", got)
			}
		}
		want(false)
		must(t, b.Pause(ctx, q))
		want(true)
		must(t, b.Resume(ctx, q))
		must(t, b.Resume(ctx, q))
		want(false)
	})
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
		left, err := b.List(ctx, q, Archived, 0)
		must(t, err)
		if len(left) != 9 || left[8] != "PRP-1:449:x" {
			t.Errorf("left: %v", left)
		}
		if keys := keysOf(t, rdb, "asynq:{"+q+"}:t:*"); len(keys) != 9 {
			t.Errorf("%d hashes are left", len(keys))
		}
	})
}

func TestNamesThatBreakKeysAreRefused(t *testing.T) {
	t.Parallel()
	b, ctx := newBroker(t, nowhere(t)), t.Context()
	for _, q := range []string{"", "a{b}", "a b"} {
		_, stateErr := b.State(ctx, q, "id")
		_, listErr := b.Pending(ctx, q, 0)
		_, pausedErr := b.PausedOf(ctx, []string{q})
		for what, err := range map[string]error{
			"state": stateErr, "pending": listErr, "paused": pausedErr,
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
	if _, err := New(Config{Redis: ring, Dial: func() redis.UniversalClient { return ring }}); err != nil {
		t.Error(err)
	}
}
