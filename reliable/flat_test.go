package reliable

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// Two messages of one id are two, wherever they are.
func TestIdThatIsStillInHandMayBePushedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, other := b.worker("w"), b.worker("other")
		again := func(body string) {
			b.must(b.rdb.Del(t.Context(), q.keys.prefix+":seen:1").Err()) // its window is over
			n, err := q.Push(t.Context(), Message{ID: "1", Body: []byte(body)})
			b.must(err)
			if n != 1 {
				t.Errorf("%d are new, want 1", n)
			}
		}
		b.resending()
		again("first")
		b.take(q, 1)
		again("second")
		b.must(q.Ack(t.Context(), "1"))
		got := b.take(other, 1)
		b.want("received", got, "1")
		if string(got[0].Body) != "second" {
			t.Errorf("received %q", got[0].Body)
		}
		again("third")
		again("fourth")
		b.must(q.Ack(t.Context(), "1"))
		b.wantMine(other, "1")
		b.want("received", b.take(other, 2), "1", "1")
		b.must(other.Ack(t.Context(), "1"))
		b.wantMine(other)
		b.wantNothingKept(q)
	})
}

func TestAckOfWhatAnotherHasNowChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		late, q := b.worker("late"), b.worker("w")
		b.push(q, "1")
		b.take(late, 1)
		_, err := q.Reap(t.Context(), "late")
		b.must(err)
		for _, where := range []string{"waiting", "unconfirmed", "in hand"} {
			switch where {
			case "unconfirmed":
				b.take(q, 1)
			case "in hand":
				b.must(q.Extend(t.Context()))
			}
			b.must(late.Ack(t.Context(), "1"))
			b.must(late.Park(t.Context(), "shelf", "1"))
			b.must(late.Bury(t.Context(), Message{ID: "1"}, ErrMalformed))
			if err := late.Replace(t.Context(), "1", messages("2")[0]); err == nil {
				t.Error("another's message was replaced")
			}
			if d, err := q.Depth(t.Context()); err != nil || d.Waiting+d.Taken != 1 || d.Dead != 0 {
				t.Errorf("%s: depth is %+v, %v", where, d, err)
			}
		}
		b.wantMine(q, "1")
	})
}

// Its receipt of the first time must not stand for the second.
func TestMessageMayComeToTheSameWorkerAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1")
		for want := range 3 {
			if got := b.take(q, 1)[0]; got.Attempt != want {
				t.Errorf("attempt %d, want %d", got.Attempt, want)
			}
			_, err := q.Reap(t.Context(), "w")
			b.must(err)
			// A BLMOVE that is under way takes it before the worker asks again.
			b.must(b.rdb.LMove(t.Context(), q.keys.Pending, q.taken, "RIGHT", "LEFT").Err())
		}
		b.take(q, 1)
		b.must(q.Replace(t.Context(), "1", Message{ID: "1", Body: []byte("on")}))
		b.must(b.rdb.LMove(t.Context(), q.keys.Pending, q.taken, "RIGHT", "LEFT").Err())
		if got := b.take(q, 1)[0]; string(got.Body) != "on" {
			t.Errorf("received %+v", got)
		}
		b.must(q.Ack(t.Context(), "1"))
		b.wantNothingKept(q)
	})
}

func TestMessageWithoutItsEnvelopeStopsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2", "3")
		b.must(b.rdb.HDel(t.Context(), q.keys.Messages, "1", "3").Err())
		b.want("received", b.take(q, 1), "2")
		b.wantEmpty(q)
		dead, err := q.Dead(t.Context())
		b.must(err)
		if len(dead) != 2 {
			t.Errorf("dead letters: %+v", dead)
		}
	})
}

func TestLongHandGoesHomeInItsOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		dead, q := b.worker("dead"), b.worker("w")
		var want []string
		for i := range 2*homeAtOnce + 7 {
			want = append(want, fmt.Sprintf("m%d", i))
		}
		b.push(q, want...)
		b.push(q, "later")
		b.take(dead, len(want))
		b.setLease(dead, -time.Millisecond)
		n, err := q.Reap(t.Context())
		b.must(err)
		if n != len(want) {
			t.Errorf("%d went home, want %d", n, len(want))
		}
		got, err := q.Peek(t.Context(), 10000)
		b.must(err)
		b.want("waiting", got, append(want, "later")...)
		if slices.ContainsFunc(got[:len(want)], func(m Message) bool { return m.Attempt != 1 }) || got[len(want)].Attempt != 0 {
			t.Error("attempts are wrong")
		}
	})
}

func TestParkedMessagesLieUntilTheyAreAdopted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, other := b.worker("w"), b.worker("other")
		b.push(q, "1", "2", "3", "4")
		b.take(q, 4)
		b.must(q.Ack(t.Context(), "4"))
		b.resending()
		b.must(q.Park(t.Context(), "of the future"))
		b.must(q.Park(t.Context(), "another", "unknown"))
		b.must(q.Park(t.Context(), "of the future", "3", "unknown"))
		b.must(q.Park(t.Context(), "of the future", "2"))
		b.wantMine(q, "1")
		if _, err := q.Reap(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.wantWaiting(q)
		if d, err := q.Depth(t.Context()); err != nil || d.Taken != 3 {
			t.Errorf("depth is %+v, %v", d, err)
		}
		shelves, err := other.Shelves(t.Context())
		b.must(err)
		if !slices.Equal(shelves, []string{"of the future"}) {
			t.Errorf("shelves: %q", shelves)
		}
		b.must(other.Adopt(t.Context(), "unheard of"))
		b.must(other.Adopt(t.Context(), "of the future"))
		b.wantMine(other, "3", "2")
		if _, err := q.Reap(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.wantMine(other, "3", "2") // it has never received, and has a lease of its own all the same
		if n := other.Held(); n != 2 {
			t.Errorf("it has %d in hand, want 2", n)
		}
		if shelves, err := other.Shelves(t.Context()); err != nil || len(shelves) != 0 {
			t.Errorf("shelves: %q, %v", shelves, err)
		}
		_, err = q.Reap(t.Context(), "other")
		b.must(err)
		b.wantWaiting(q, "3", "2")
	})
}

func TestALongShelfIsAdoptedInSteps(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, other := b.worker("w"), b.worker("other")
		ids := numbered(adoptAtOnce + 1)
		b.push(q, ids...)
		b.take(q, len(ids))
		b.must(q.Park(t.Context(), "s", ids...))
		for _, want := range [][]string{{"s"}, nil} {
			b.must(other.Adopt(t.Context(), "s"))
			if shelves, err := q.Shelves(t.Context()); err != nil || !slices.Equal(shelves, want) {
				t.Errorf("shelves: %q, %v, want %q", shelves, err, want)
			}
		}
		b.wantMine(other, ids...)
	})
}
