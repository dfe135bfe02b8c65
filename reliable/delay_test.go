package reliable

import (
	"strings"
	"testing"
	"time"
)

func TestDelayedMessageIsReceivedWhenItIsDue(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.resending()
		began := b.redisNow()
		n, err := q.Push(t.Context(), Message{ID: "late", Delay: time.Hour}, Message{ID: "soon", Delay: 150 * time.Millisecond}, Message{ID: "now"})
		b.must(err)
		if n != 3 {
			t.Errorf("%d are new", n)
		}
		b.wantWaiting(q, "now")
		delayed, err := q.PeekDelayed(t.Context(), 10)
		b.must(err)
		b.want("delayed", delayed, "soon", "late")
		b.wantBooks(q, Books{Pushed: 3, Waiting: 1, Delayed: 2})
		for _, want := range []string{"now", "soon"} {
			m, err := q.Receive(t.Context(), patience)
			b.must(err)
			b.want("received", []Message{m}, want)
		}
		if took := b.redisNow().Sub(began); took < 150*time.Millisecond || took > 2*time.Second {
			t.Errorf("it was received after %s", took)
		}
		b.wantEmpty(q)
	})
}

func TestTendBringsWhatIsDueToAWorkerThatWaits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, other := b.worker("w"), b.worker("other")
		got := make(chan error, 1)
		go func() { _, err := other.Receive(t.Context(), patience); got <- err }()
		_, err := q.Push(t.Context(), Message{ID: "1", Delay: time.Millisecond})
		b.must(err)
		b.until("it is due", func() bool {
			b.must(q.Tend(t.Context()))
			d, err := q.Depth(t.Context())
			b.must(err)
			return d.Delayed == 0
		})
		b.must(<-got)
	})
}

func TestExpiredMessageIsADeadLetterReceivedOrNot(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"tend", "receive", "delayed", "taken by a lost call"} {
		t.Run(how, func(t *testing.T) {
			each(t, func(t *testing.T, b *bench) {
				q := b.worker("w")
				delay := map[bool]time.Duration{true: time.Hour}[how == "delayed"]
				_, err := q.Push(t.Context(), Message{ID: "mortal", TTL: time.Millisecond, Delay: delay}, Message{ID: "next"})
				b.must(err)
				began := b.redisNow()
				b.until("it has expired", func() bool { return b.redisNow().Sub(began) > 2*time.Millisecond })
				if how == "taken by a lost call" {
					b.setLease(q, time.Minute)
					b.must(b.rdb.LMove(t.Context(), q.keys.Pending, q.taken, "RIGHT", "LEFT").Err())
				}
				if how != "receive" {
					b.must(q.Tend(t.Context()))
					if books, err := q.Books(t.Context()); err != nil || books.Imbalance() != 0 || books.Dead != 1 {
						t.Errorf("the books say %s, %v", books, err)
					}
					b.wantWaiting(q, "next")
				}
				b.resending()
				b.want("received", b.take(q, 1), "next")
				b.wantEmpty(q)
				d := b.dead(q)
				if len(d) != 1 || d[0].ID != "mortal" || !strings.Contains(d[0].Reason, "expired") || d[0].Attempts != 0 {
					t.Errorf("dead letters: %+v", d)
				}
				b.wantBooks(q, Books{Pushed: 2, Dead: 1, Taken: 1})
				if n := b.rdb.SCard(t.Context(), q.keys.Gone).Val(); n != 0 {
					t.Errorf("%d elements are still expected", n)
				}
			})
		})
	}
}

// Its element lies in the queue twice for a while.
func TestExpiredMessageMayBeReplayedAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "first")
		_, err := q.Push(t.Context(), Message{ID: "mortal", TTL: time.Millisecond}, Message{ID: "last"})
		b.must(err)
		b.until("it has expired", func() bool { b.must(q.Tend(t.Context())); return len(b.dead(q)) == 1 })
		b.resending()
		n, err := q.Replay(t.Context(), "mortal")
		b.must(err)
		if n != 1 {
			t.Errorf("%d put back, want 1", n)
		}
		b.wantBooks(q, Books{Pushed: 3, Waiting: 3})
		got := b.take(q, 3)
		b.wantEmpty(q)
		b.want("received", got, "first", "last", "mortal")
		b.must(q.Ack(t.Context(), "mortal", "first", "last"))
		b.wantNothingKept(q)
	})
}

func TestMessageInHandDoesNotExpireAndDoesAfterItsFailure(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		_, err := q.Push(t.Context(), Message{ID: "1", TTL: 50 * time.Millisecond}, Message{ID: "2", TTL: 50 * time.Millisecond})
		b.must(err)
		got := b.take(q, 2)
		ends := b.redisNow().Add(60 * time.Millisecond)
		b.until("their time is over", func() bool { return b.redisNow().After(ends) })
		b.must(q.Tend(t.Context()))
		b.wantMine(q, "1", "2")
		if d := b.dead(q); len(d) != 0 {
			t.Errorf("dead letters of messages that a worker has: %+v", d)
		}
		b.must(q.Nack(t.Context(), errBad, got[0]))
		b.must(q.Release(t.Context(), got[1]))
		b.wantEmpty(q)
		if d := b.dead(q); len(d) != 2 || !strings.Contains(d[0].Reason+d[1].Reason, "bad input") || !strings.Contains(d[0].Reason, "expired") || !strings.Contains(d[1].Reason, "expired") {
			t.Errorf("dead letters: %+v", d)
		}
	})
}

func TestFailedMessageExpiresWhileItIsDelayed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		_, err := q.Push(t.Context(), Message{ID: "1", TTL: 200 * time.Millisecond}, Message{ID: "2", TTL: 200 * time.Millisecond})
		b.must(err)
		got := b.take(q, 2)
		b.must(q.NackAfter(t.Context(), time.Hour, errBad, got[0]))
		b.must(q.Release(t.Context(), got[1]))
		b.wantBooks(q, Books{Pushed: 2, Delayed: 1, Waiting: 1})
		b.until("both have expired", func() bool { b.must(q.Tend(t.Context())); return len(b.dead(q)) == 2 })
		b.wantBooks(q, Books{Pushed: 2, Dead: 2})
	})
}

func TestMessageOfADeadWorkerExpiresWhileItWaits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, other := b.worker("w"), b.worker("other")
		_, err := q.Push(t.Context(), Message{ID: "1", TTL: 200 * time.Millisecond})
		b.must(err)
		b.take(other, 1)
		_, err = q.Reap(t.Context(), "other")
		b.must(err)
		b.until("it has expired", func() bool { b.must(q.Tend(t.Context())); return len(b.dead(q)) == 1 })
		b.wantBooks(q, Books{Pushed: 1, Dead: 1})
	})
}

func TestMessageSettledBeforeItWasReadDoesNotExpire(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		_, err := q.Push(t.Context(), Message{ID: "done", TTL: 50 * time.Millisecond}, Message{ID: "parked", TTL: 50 * time.Millisecond})
		b.must(err)
		for range 2 { // what a BLMOVE takes, and nobody has received yet
			b.must(b.rdb.LMove(t.Context(), q.keys.Pending, q.taken, "RIGHT", "LEFT").Err())
		}
		b.must(q.Ack(t.Context(), "done"))
		b.must(q.Park(t.Context(), "shelf", "parked"))
		ends := b.redisNow().Add(60 * time.Millisecond)
		b.until("their time is over", func() bool { return b.redisNow().After(ends) })
		b.must(q.Tend(t.Context()))
		b.wantBooks(q, Books{Pushed: 2, Done: 1, Taken: 1})
	})
}

func TestManyExpiredMessagesAtTheHeadAreRemovedAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		ids := numbered(30)
		var list []Message
		for _, id := range ids {
			list = append(list, Message{ID: id, TTL: 20 * time.Millisecond})
		}
		_, err := q.Push(t.Context(), list...)
		b.must(err)
		b.push(q, "immortal")
		b.until("all have expired", func() bool { b.must(q.Tend(t.Context())); return len(b.dead(q)) == len(ids) })
		b.must(q.Tend(t.Context()))
		if n := b.rdb.LLen(t.Context(), q.keys.Pending).Val(); n != 1 {
			t.Errorf("%d elements are waiting, want 1", n)
		}
		b.wantWaiting(q, "immortal")
	})
}
