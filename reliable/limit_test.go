package reliable

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// neverAsked is a server that must not be asked.
type neverAsked struct{ redis.UniversalClient }

func TestFullQueueTakesNoMoreAndForgetsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", Limit: 3})
		b.push(q, "1", "2")
		if _, err := q.Push(t.Context(), messages("3", "4")...); !errors.Is(err, ErrFull) {
			t.Errorf("over the limit: %v", err)
		}
		b.wantWaiting(q, "1", "2")
		b.resending()
		n, err := q.Push(t.Context(), Message{ID: "3", Delay: time.Hour})
		b.must(err)
		again, err := q.Push(t.Context(), messages("1", "2", "3")...)
		b.must(err)
		if n != 1 || again != 0 {
			t.Errorf("%d, then %d are new", n, again)
		}
		if _, err := q.Push(t.Context(), messages("4")...); !errors.Is(err, ErrFull) {
			t.Errorf("over the limit: %v", err)
		}
		dead, err := q.Push(t.Context(), Message{ID: "d", Dead: "there is no room"}) // which does not wait
		b.must(err)
		if dead != 1 {
			t.Errorf("%d dead letters", dead)
		}
		_, err = q.Drop(t.Context(), "d")
		b.must(err)
		b.take(q, 1)
		b.push(q, "4")
		b.wantBooks(q, Books{Pushed: 5, Dropped: 1, Waiting: 2, Delayed: 1, Taken: 1})
	})
}

func TestPausedQueueHandsOutNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, waits := b.worker("w"), b.worker("waits")
		b.push(q, "0")
		b.take(q, 1)
		got := make(chan Message, 1)
		go func() {
			m, err := waits.Receive(t.Context(), patience)
			if err == nil {
				got <- m
			}
		}()
		b.until("it waits", func() bool { return b.rdb.ZCard(t.Context(), q.keys.Takers).Val() == 2 })
		b.must(q.Pause(t.Context()))
		b.push(q, "1", "2")
		b.wantEmpty(q)
		b.must(q.Ack(t.Context(), "0"))
		if d, err := q.Depth(t.Context()); err != nil || !d.Paused {
			t.Errorf("depth is %+v, %v", d, err)
		}
		b.until("what its wait has taken is home", func() bool {
			d, err := q.Depth(t.Context())
			b.must(err)
			return d.Waiting == 2
		})
		b.wantWaiting(q, "1", "2")
		b.must(q.Resume(t.Context()))
		if m := <-got; m.ID != "1" || m.Attempt != 0 {
			t.Errorf("received %+v", m)
		}
	})
}

func TestPurgeThrowsAwayWhatNobodyHas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", MaxAttempts: 1})
		b.push(q, "dead", "taken", "1", "2")
		b.must(q.Nack(t.Context(), errBad, b.take(q, 1)...))
		b.take(q, 1)
		list := []Message{{ID: "mortal", TTL: time.Millisecond}}
		for range purgeAtOnce {
			list = append(list, Message{}, Message{Delay: time.Hour})
		}
		_, err := q.Push(t.Context(), list...)
		b.must(err)
		b.until("one has expired", func() bool { b.must(q.Tend(t.Context())); return len(b.dead(q)) == 2 })
		n, err := q.Purge(t.Context())
		b.must(err)
		if n != 2*purgeAtOnce+2 {
			t.Errorf("%d thrown away", n)
		}
		b.wantBooks(q, Books{Pushed: 2*purgeAtOnce + 5, Dropped: 2*purgeAtOnce + 2, Dead: 2, Taken: 1})
		b.wantMine(q, "taken")
		b.push(q, "after")
		b.wantWaiting(q, "after")
	})
}

func TestMessageIsPushedOnceForWhatItSaysIsTheSame(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		for _, want := range []int{1, 0} {
			n, err := q.Push(t.Context(), Message{Once: "hash of it", Window: time.Minute})
			b.must(err)
			if n != want {
				t.Errorf("%d are new, want %d", n, want)
			}
		}
		n, err := q.Push(t.Context(), Message{Once: "another"})
		b.must(err)
		if n != 1 {
			t.Error("another was taken for the same")
		}
	})
}

func TestWorkerThatLeavesIsForgottenUnlessItHasSomething(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, busy, never := b.worker("w"), b.worker("busy"), b.worker("never")
		b.push(q, "1", "2")
		b.take(busy, 1)
		m := b.take(q, 1)
		b.must(q.Ack(t.Context(), m[0].ID))
		for _, one := range []*Queue{q, busy, never} {
			b.must(one.Close(t.Context()))
		}
		if takers := b.rdb.ZRange(t.Context(), q.keys.Takers, 0, -1).Val(); !slices.Equal(takers, []string{"busy"}) {
			t.Errorf("takers: %q", takers)
		}
	})
}

func TestManyAreReceivedInOneRoundTripAndInOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2", "3", "4", "5")
		b.resending()
		for _, want := range [][]string{{"1", "2", "3"}, {"4", "5"}} {
			got, err := q.ReceiveMany(t.Context(), 3, 0)
			b.must(err)
			b.want("received", got, want...)
		}
		if _, err := q.ReceiveMany(t.Context(), 3, 0); !errors.Is(err, ErrEmpty) {
			t.Errorf("of what is empty: %v", err)
		}
		b.wantMine(q, "1", "2", "3", "4", "5")
		b.must(q.Ack(t.Context(), "1", "2", "3", "4", "5"))
		b.wantNothingKept(q)
		b.wantBooks(q, Books{Pushed: 5, Done: 5})
	})
}

func TestPushRefusesWhatItCannotKeep(t *testing.T) {
	t.Parallel()
	b := &bench{T: t}
	q := b.open(neverAsked{}, Config{Name: "q"})
	for _, m := range []Message{{Delay: -1}, {TTL: -1}, {TTL: time.Microsecond}, {Window: -1}, {Backoff: -1}, {MaxAttempts: -1}, {ID: "\xff"}} {
		if _, err := q.Push(t.Context(), m); err == nil || !strings.Contains(err.Error(), "reliable: push to q: ") {
			t.Errorf("%+v: %v", m, err)
		}
	}
}
