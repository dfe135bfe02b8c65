package reliable

import (
	"errors"
	"slices"
	"testing"
	"time"
)

var errBad = errors.New("bad input")

func attempts(history []Try) (list []int) {
	for _, h := range history {
		list = append(list, h.Attempt)
	}
	return list
}

func TestNackedMessageComesBackAfterItsBackoffUntilItIsDead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", MaxAttempts: 3, Backoff: 40 * time.Millisecond})
		b.push(q, "1", "2")
		b.resending()
		for want := range 3 {
			m, err := q.Receive(t.Context(), patience)
			b.must(err)
			if m.ID == "2" {
				b.must(q.Ack(t.Context(), "2"))
				m, err = q.Receive(t.Context(), patience)
				b.must(err)
			}
			if m.Attempt != want || len(m.History) != want {
				t.Errorf("%+v, want attempt %d", m, want)
			}
			b.must(q.Nack(t.Context(), errBad, m))
		}
		b.wantEmpty(q)
		d := b.dead(q)
		if len(d) != 1 || d[0].ID != "1" || d[0].Reason != "bad input" || d[0].Worker != "w" || d[0].Attempts != 3 || d[0].At.IsZero() {
			t.Fatalf("dead letters: %+v", d)
		}
		h := d[0].History
		if !slices.Equal(attempts(h), []int{1, 2, 3}) || h[1].Worker != "w" || h[1].Reason != "bad input" || h[1].At.Before(h[0].At) || h[0].At.IsZero() {
			t.Errorf("history: %+v", h)
		}
		b.wantBooks(q, Books{Pushed: 2, Done: 1, Dead: 1})
	})
}

func TestNackOfWhatAnotherHasChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, late := b.worker("w"), b.worker("late")
		b.push(q, "1")
		m := b.take(late, 1)[0]
		_, err := q.Reap(t.Context(), "late")
		b.must(err)
		b.take(q, 1)
		b.must(late.Nack(t.Context(), errBad, m))
		b.must(late.Release(t.Context(), m))
		b.wantMine(q, "1")
		b.wantWaiting(q)
		b.wantBooks(q, Books{Pushed: 1, Taken: 1})
	})
}

func TestBackoffDoublesBelowItsBoundsAndIsDrawnAtRandom(t *testing.T) {
	t.Parallel()
	q := &Queue{cfg: Config{Backoff: time.Second, MaxBackoff: 10 * time.Second}}
	for attempt, bound := range []time.Duration{1, 2, 4, 8, 10, 10} {
		var least, most time.Duration = time.Hour, 0
		for range 2000 {
			d := q.backoff(Message{Attempt: attempt})
			least, most = min(least, d), max(most, d)
		}
		bound *= time.Second
		if most > bound || most < bound*9/10 || least > bound/10 {
			t.Errorf("attempt %d: from %s to %s, want anything up to %s", attempt, least, most, bound)
		}
	}
	if d := q.backoff(Message{Attempt: 1000000, Backoff: time.Minute}); d > time.Minute {
		t.Errorf("its own backoff of a minute became %s", d)
	}
}

func TestMessageHasItsOwnPolicy(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", MaxAttempts: -1, Backoff: time.Hour})
		_, err := q.Push(t.Context(), Message{ID: "1", MaxAttempts: 2, Backoff: time.Millisecond})
		b.must(err)
		for range 2 {
			m, err := q.Receive(t.Context(), patience)
			b.must(err)
			if m.MaxAttempts != 2 || m.Backoff != time.Millisecond {
				t.Errorf("received %+v", m)
			}
			b.must(q.Nack(t.Context(), errBad, m))
		}
		if d := b.dead(q); len(d) != 1 {
			t.Errorf("dead letters: %+v", d)
		}
	})
}

func TestOfManyFailuresTheLast20AreKept(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", MaxAttempts: 23})
		b.push(q, "1")
		for range 23 {
			b.must(q.NackAfter(t.Context(), 0, errBad, b.take(q, 1)...))
		}
		d := b.dead(q)
		if len(d) != 1 || d[0].Attempts != 23 {
			t.Fatalf("dead letters: %+v", d)
		}
		if n := attempts(d[0].History); len(n) != 20 || n[0] != 4 || n[19] != 23 {
			t.Errorf("kept of its history: %v", n)
		}
	})
}

func TestMessageThatKillsItsWorkersIsADeadLetter(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", MaxAttempts: 2})
		b.push(q, "1", "2")
		for range 2 {
			b.take(q, 1)
			_, err := q.Reap(t.Context(), "w")
			b.must(err)
		}
		d := b.dead(q)
		if len(d) != 1 || d[0].ID != "1" || d[0].Reason != silent || d[0].Attempts != 2 || !slices.Equal(attempts(d[0].History), []int{1, 2}) {
			t.Errorf("dead letters: %+v", d)
		}
		b.wantWaiting(q, "2")
		b.wantBooks(q, Books{Pushed: 2, Dead: 1, Waiting: 1})
	})
}

func TestReleasedMessagesAreAtTheHeadAndWereNotDelivered(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2", "3", "4")
		got := b.take(q, 3)
		b.must(q.Extend(t.Context()))
		b.resending()
		b.must(q.Release(t.Context(), got[1:]...))
		b.must(q.Release(t.Context(), got[0], got[0]))
		b.wantMine(q)
		b.wantWaiting(q, "1", "2", "3", "4")
		if m := b.take(q, 1)[0]; m.Attempt != 0 || m.History != nil {
			t.Errorf("received %+v", m)
		}
	})
}
