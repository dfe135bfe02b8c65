package reliable

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestDeadWorkersMessagesGoHomeInOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, dead, lives := b.worker("w"), b.worker("dead"), b.worker("lives")
		b.push(q, "1", "2", "3", "4", "5", "6")
		b.take(dead, 2)
		b.take(lives, 1)
		b.take(dead, 1)
		b.setLease(dead, -time.Millisecond)
		b.resending()
		n, err := q.Reap(t.Context())
		b.must(err)
		if n != 0 {
			t.Errorf("the second sending, whose answer counts, took home %d", n)
		}
		b.wantMine(dead)
		b.wantMine(lives, "3")
		b.wantWaiting(q, "1", "2", "4", "5", "6")
		for i, m := range b.take(q, 5) {
			if want := map[bool]int{true: 1, false: 0}[i < 3]; m.Attempt != want || string(m.Body) != m.ID {
				t.Errorf("message %+v, want attempt %d", m, want)
			}
		}
	})
}

func TestReapCountsWhatWentHome(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, a, c := b.worker("w"), b.worker("a"), b.worker("c")
		b.push(q, "1", "2", "3")
		b.take(a, 1)
		b.take(c, 2)
		for _, round := range []int{3, 0} {
			b.setLease(a, -time.Minute)
			n, err := q.Reap(t.Context(), "c")
			b.must(err)
			if n != round {
				t.Errorf("%d went home, want %d", n, round)
			}
		}
		if n := len(b.take(q, 3)); n != 3 {
			t.Errorf("%d are back", n)
		}
	})
}

func TestNamedIsDeadWhileItsLeaseRuns(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, dead, lives := b.worker("w"), b.worker("dead"), b.worker("lives")
		b.push(q, "1", "2")
		b.take(dead, 1)
		b.take(lives, 1)
		if n, err := q.Reap(t.Context()); n != 0 || err != nil {
			t.Errorf("nobody is dead, but %d went home, %v", n, err)
		}
		n, err := q.Reap(t.Context(), "dead", "unheard of")
		b.must(err)
		if n != 1 {
			t.Errorf("%d went home, want 1", n)
		}
		b.wantWaiting(q, "1")
		b.wantMine(lives, "2")
		if _, err := q.Reap(t.Context(), ""); err == nil {
			t.Error("a worker without a name was reaped")
		}
	})
}

// Between the question who has lapsed and the script that takes home, a worker
// may renew its lease.
func TestLeaseRenewedInTimeKeepsItsMessages(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, slow := b.worker("w"), b.worker("slow")
		b.push(q, "1")
		b.take(slow, 1)
		n, err := q.reap(t.Context(), "lapsed", []string{"slow"})
		b.must(err)
		if n != 0 {
			t.Errorf("%d went home", n)
		}
		b.wantMine(slow, "1")
	})
}

func TestEachDeathIsOneAttempt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1")
		for want := range 4 {
			if got := b.take(q, 1)[0].Attempt; got != want {
				t.Errorf("attempt %d, want %d", got, want)
			}
			_, err := q.Reap(t.Context(), "w")
			b.must(err)
		}
	})
}

func TestOnlyLapsedWorkersAreLookedAt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.setLease(b.worker("lives"), time.Minute)
		b.setLease(b.worker("lapsed"), -time.Millisecond)
		b.setLease(b.worker("long lapsed"), -time.Hour)
		_, got, err := q.tend(t.Context())
		b.must(err)
		if len(got) != 2 || got[0] != "long lapsed" || got[1] != "lapsed" {
			t.Errorf("lapsed: %q", got)
		}
	})
}

func TestLapsedWorkerIsRememberedForLateTakes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, late, gone := b.worker("w"), b.worker("late"), b.worker("gone")
		b.push(q, "1", "2")
		b.take(late, 1)
		b.setLease(late, -remembered+time.Minute)
		b.setLease(gone, -remembered-time.Minute)
		for i, want := range []int{1, 0, 1} {
			n, err := q.Reap(t.Context())
			b.must(err)
			if n != want {
				t.Errorf("reap %d took home %d, want %d", i, n, want)
			}
			if i == 1 { // a BLMOVE that it sent long ago arrives
				b.must(b.rdb.LMove(t.Context(), q.keys.Pending, late.taken, "RIGHT", "LEFT").Err())
			}
		}
		b.wantWaiting(q, "1", "2")
		takers, err := b.rdb.ZRange(t.Context(), q.keys.Takers, 0, -1).Result()
		b.must(err)
		if len(takers) != 1 || takers[0] != "late" {
			t.Errorf("takers are %q", takers)
		}
		// Long gone, but with work: it goes home first, the worker is forgotten after.
		b.setLease(late, -2*remembered)
		b.must(b.rdb.LMove(t.Context(), q.keys.Pending, late.taken, "RIGHT", "LEFT").Err())
		for _, want := range []int64{1, 0} {
			_, err := q.Reap(t.Context())
			b.must(err)
			if n := b.rdb.ZCard(t.Context(), q.keys.Takers).Val(); n != want {
				t.Errorf("%d takers are remembered, want %d", n, want)
			}
		}
		b.wantWaiting(q, "1", "2")
	})
}

func TestReapTakesHomeWhatItCannotRead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, dead := b.worker("w"), b.worker("dead")
		odd := []string{"no json", "7", `{"id":7,"attempt":1}`, `["id"]`}
		for _, raw := range append(odd, `{"id":"1","at":1700000000000}`) {
			b.must(b.rdb.LPush(t.Context(), dead.taken, raw).Err())
		}
		n, err := q.Reap(t.Context(), "dead")
		b.must(err)
		if n != 5 {
			t.Errorf("%d went home, want 5", n)
		}
		for i, raw := range odd {
			if got := b.rdb.LIndex(t.Context(), q.keys.Pending, int64(-1-i)).Val(); got != raw {
				t.Errorf("element %d is %q, want %q", i, got, raw)
			}
		}
		got := b.take(q, 1)[0]
		if got.ID != "1" || got.Attempt != 1 || got.At.UnixMilli() != 1700000000000 {
			t.Errorf("got %+v", got)
		}
	})
}

// Many who have died lately are remembered, and nobody is overlooked for them.
func TestTheNewestOfManyDeadIsReaped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, dead := b.worker("w"), b.worker("dead")
		var names []redis.Z
		before := float64(b.redisNow().Add(-time.Minute).UnixMilli())
		for i := range 10_000 {
			names = append(names, redis.Z{Score: before, Member: fmt.Sprint("gone-", i)})
		}
		b.must(b.rdb.ZAdd(t.Context(), q.keys.Takers, names...).Err())
		b.push(q, "1")
		b.take(dead, 1)
		b.setLease(dead, -time.Millisecond)
		b.must(q.Tend(t.Context()))
		b.wantWaiting(q, "1")
	})
}
