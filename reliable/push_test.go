package reliable

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestMessagesArriveInOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2")
		b.push(q, "3")
		b.wantWaiting(q, "1", "2", "3")
		b.want("received", b.take(q, 3), "1", "2", "3")
		b.wantEmpty(q)
	})
}

func TestPushedTwiceIsOneMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		for i, c := range []struct {
			ids  []string
			want int
		}{{[]string{"1", "2"}, 2}, {[]string{"2", "3"}, 1}, {[]string{"4", "4"}, 1}, {nil, 0}} {
			n, err := q.Push(t.Context(), messages(c.ids...)...)
			b.must(err)
			if n != c.want {
				t.Errorf("push %d: %d are new, want %d", i, n, c.want)
			}
		}
		b.wantWaiting(q, "1", "2", "3", "4")
		b.must(q.Ack(t.Context(), b.take(q, 1)[0].ID))
		b.push(q, "1")
		b.wantWaiting(q, "2", "3", "4")
	})
}

func TestPushResentAnswersTheSame(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "0")
		b.resending()
		n, err := q.Push(t.Context(), messages("0", "1", "2")...)
		b.must(err)
		if n != 2 {
			t.Errorf("%d are new, want 2", n)
		}
		b.wantWaiting(q, "0", "1", "2")
	})
}

func TestIdIsForgottenAfterTheWindow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		long := b.worker("w")
		b.push(long, "long")
		if ttl := b.rdb.PTTL(t.Context(), long.keys.prefix+":seen:long").Val(); ttl < 9*time.Minute || ttl > 10*time.Minute {
			t.Errorf("the mark lives %s", ttl)
		}
		short := b.open(b.rdb, Config{Name: b.name, Dedup: 20 * time.Millisecond})
		b.push(short, "short")
		b.until("the second push is a new message", func() bool {
			n, err := short.Push(t.Context(), messages("short")...)
			b.must(err)
			return n == 1
		})
	})
}

func TestPushTakesRedisClock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		set := time.UnixMilli(1700000000000)
		before := b.redisNow().Truncate(time.Millisecond)
		_, err := q.Push(t.Context(),
			Message{ID: `x"at":0,y`, Body: []byte(`"at":0,`)}, Message{ID: "set", At: set}, Message{Body: []byte("nameless")})
		b.must(err)
		after := b.redisNow()
		got := b.take(q, 3)
		if at := got[0].At; at.Before(before) || at.After(after) {
			t.Errorf("stamped %s, not between %s and %s", at, before, after)
		}
		if got[0].ID != `x"at":0,y` || string(got[0].Body) != `"at":0,` || !got[1].At.Equal(set) || got[2].ID == "" {
			t.Errorf("got %+v", got)
		}
	})
}

func TestPushTakesAnyNumberAndAnyBytes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		many := make([]Message, pushAtOnce+2)
		for i := range many {
			many[i] = Message{ID: fmt.Sprint(i), Body: []byte{0xff, byte(i)}}
		}
		n, err := q.Push(t.Context(), many...)
		b.must(err)
		if n != len(many) {
			t.Errorf("%d are new, want %d", n, len(many))
		}
		for i, m := range b.take(q, 3) {
			if m.ID != fmt.Sprint(i) || string(m.Body) != string([]byte{0xff, byte(i)}) {
				t.Errorf("message %d is %+v", i, m)
			}
		}
		if _, err := q.Push(t.Context(), Message{ID: "\xff"}); !errors.Is(err, ErrMalformed) {
			t.Errorf("a bad id: %v", err)
		}
	})
}

func TestReplaceIsOneStep(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2")
		b.take(q, 1)
		b.resending()
		before := b.redisNow().Truncate(time.Millisecond)
		b.must(q.Replace(t.Context(), "1", messages("3")[0]))
		b.wantMine(q)
		b.wantWaiting(q, "2", "3")
		waiting, err := q.Peek(t.Context(), 10)
		b.must(err)
		if at := waiting[1].At; at.Before(before) || at.After(b.redisNow()) {
			t.Errorf("the successor is stamped %s", at)
		}
		b.push(q, "3")
		b.wantWaiting(q, "2", "3")
		if ttl := b.rdb.PTTL(t.Context(), q.keys.prefix+":seen:3").Val(); ttl < 9*time.Minute || ttl > 10*time.Minute {
			t.Errorf("the mark lives %s", ttl)
		}
	})
}

func TestReplaceMayKeepTheId(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2")
		b.take(q, 1)
		b.resending()
		b.must(q.Replace(t.Context(), "1", Message{ID: "1", Body: []byte("on")}))
		b.wantMine(q)
		b.wantWaiting(q, "2", "1")
	})
}

func TestReplaceOfWhatIsNotInHandChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, other := b.worker("w"), b.worker("other")
		b.push(q, "1", "2")
		b.take(other, 1)
		b.push(q, "1") // its mark is there, but is not this call's
		for _, next := range []string{"3", "1"} {
			if err := q.Replace(t.Context(), "1", messages(next)[0]); !errors.Is(err, ErrNotTaken) {
				t.Errorf("replace by %s: %v", next, err)
			}
		}
		b.wantMine(other, "1")
		b.wantWaiting(q, "2")
		if err := other.Replace(t.Context(), "1", Message{}); !errors.Is(err, ErrMalformed) {
			t.Errorf("replace by nothing: %v", err)
		}
		b.wantMine(other, "1")
	})
}

func TestReplaceByWhatWasPushedOnlyAcknowledges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2", "3")
		b.take(q, 2)
		b.resending()
		b.must(q.Replace(t.Context(), "1", messages("3")[0]))
		b.wantMine(q, "2")
		b.wantWaiting(q, "3")
	})
}
