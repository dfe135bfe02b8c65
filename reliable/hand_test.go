package reliable

import (
	"testing"
	"time"

	"github.com/prpflow/prpflow/internal/redistest"
)

func TestAckIsByIdAndTwiceIsOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, other := b.worker("w"), b.worker("other")
		b.push(q, "1", `"2"`, "3", "4")
		b.take(q, 3)
		b.take(other, 1)
		b.wantMine(q, "1", `"2"`, "3")
		b.resending()
		b.must(q.Ack(t.Context()))
		b.must(q.Ack(t.Context(), `"2"`, "4", "unknown"))
		b.must(q.Ack(t.Context(), `"2"`))
		b.wantMine(q, "1", "3")
		b.wantMine(other, "4")
		b.must(q.Ack(t.Context(), "1", "3"))
		b.wantMine(q)
		b.wantEmpty(q)
	})
}

func TestExtendRenewsTheLeaseByRedisClock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", Lease: time.Minute})
		b.setLease(q, -time.Hour)
		before := b.redisNow().Truncate(time.Millisecond)
		b.must(q.Extend(t.Context()))
		after := b.redisNow()
		end := time.UnixMilli(int64(b.rdb.ZScore(t.Context(), q.keys.Takers, "w").Val()))
		if end.Before(before.Add(time.Minute)) || end.After(after.Add(time.Minute)) {
			t.Errorf("the lease ends at %s, %s after now", end, end.Sub(after))
		}
	})
}

func TestEveryCallSaysWhatFailed(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	b := &bench{T: t, rdb: server.Client(), name: "mail"}
	q := b.worker("w")
	keys := []string{q.keys.Takers, q.keys.Dead, q.keys.Pending, q.keys.Delayed, q.keys.Died, q.keys.Paused, q.keys.Books, q.taken, "{q:mail}:seen:1"}
	for _, key := range keys {
		b.must(b.rdb.HSet(t.Context(), key, "wrong", "type").Err())
	}
	ctx := t.Context()
	for what, call := range map[string]func() error{
		"push to":             func() error { _, err := q.Push(ctx, messages("1")...); return err },
		"replace 1 in":        func() error { return q.Replace(ctx, "1", messages("2")[0]) },
		"receive from":        func() error { _, err := q.Receive(ctx, 0); return err },
		"acknowledge in":      func() error { return q.Ack(ctx, "1") },
		"read this worker's":  func() error { _, err := q.Mine(ctx); return err },
		"extend the lease in": func() error { return q.Extend(ctx) },
		"reap":                func() error { _, err := q.Reap(ctx); return err },
		"peek into":           func() error { _, err := q.Peek(ctx, 1); return err },
		"count":               func() error { _, err := q.Depth(ctx); return err },
	} {
		wantError(t, call(), "reliable: "+what)
		if what != "extend the lease in" {
			wantError(t, call(), "mail")
		}
	}
}
