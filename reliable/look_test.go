package reliable

import (
	"errors"
	"testing"
	"time"
)

func TestPeekTakesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2", "3")
		b.must(b.rdb.RPush(t.Context(), q.keys.Pending, "no message").Err())
		for limit, want := range map[int][]string{-1: nil, 0: nil, 1: nil, 2: {"1"}, 9: {"1", "2", "3"}} {
			got, err := q.Peek(t.Context(), limit)
			b.must(err)
			b.want("waiting", got, want...)
		}
		if n := b.rdb.LLen(t.Context(), q.keys.Pending).Val(); n != 4 {
			t.Errorf("%d wait, want 4", n)
		}
	})
}

func TestDepthCountsWhatLiesWhere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, other := b.worker("w"), b.worker("other")
		if d, err := q.Depth(t.Context()); d != (Depth{}) || err != nil {
			t.Errorf("of nothing: %+v, %v", d, err)
		}
		b.must(b.rdb.LPush(t.Context(), q.keys.Pending, "no message").Err())
		b.push(q, "1", "2", "3", "4")
		b.take(q, 1)
		b.take(other, 2)
		hour := b.redisNow().Add(-time.Hour)
		raw, err := Encode(Message{ID: "old", At: hour})
		b.must(err)
		b.must(b.rdb.RPush(t.Context(), q.keys.Pending, raw).Err())
		d, err := q.Depth(t.Context())
		b.must(err)
		if d.Waiting != 2 || d.Taken != 3 || d.Dead != 1 || d.Oldest < time.Hour || d.Oldest > time.Hour+patience {
			t.Errorf("depth is %+v", d)
		}
	})
}

func TestDepthAsksAgainWhereWorkersChanged(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.must(q.Extend(t.Context()))
		for _, workers := range [][]string{nil, {"other"}, {"w", "other"}} {
			if d, _, err := q.countOf(t.Context(), false, workers); !errors.Is(err, errBusy) {
				t.Errorf("workers %q: %+v, %v", workers, d, err)
			}
		}
		if _, _, err := q.countOf(t.Context(), false, []string{"w"}); err != nil {
			t.Error(err)
		}
		if _, _, err := q.countOf(t.Context(), false, []string{""}); err == nil {
			t.Error("a worker without a name was counted")
		}
	})
}

func TestDepthRefusesAnAnswerThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, reply := range []any{nil, "x", []any{}, []any{int64(1), int64(1), "x", int64(1), "", int64(1), int64(1), int64(1), int64(1), int64(1), int64(1), nil}} {
		if d, _, err := readCount(reply); err == nil {
			t.Errorf("%v is %+v", reply, d)
		}
	}
}
