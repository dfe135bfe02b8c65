package reliable

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReplayKeepsIdAndHistoryAndBeginsAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", MaxAttempts: 1})
		b.push(q, "1", "2", "3", "4")
		b.must(q.Nack(t.Context(), errBad, b.take(q, 4)...))
		b.resending()
		if _, err := q.Replay(t.Context(), "1", "unknown"); !errors.Is(err, ErrNoLetter) || !strings.Contains(err.Error(), "unknown") {
			t.Errorf("replay of an unknown id: %v", err)
		}
		if len(b.dead(q)) != 4 {
			t.Error("and yet something was put back")
		}
		for _, round := range []struct {
			ids  []string
			want int
		}{{[]string{"2"}, 1}, {[]string{"4", "1"}, 2}, {nil, 1}, {nil, 0}} {
			n, err := q.Replay(t.Context(), round.ids...)
			b.must(err)
			if n != round.want {
				t.Errorf("replay %q put back %d, want %d", round.ids, n, round.want)
			}
		}
		b.wantBooks(q, Books{Pushed: 4, Waiting: 4})
		got := b.take(q, 1)[0]
		if got.ID != "2" || got.Attempt != 0 || !slices.Equal(attempts(got.History), []int{1}) {
			t.Errorf("received %+v", got)
		}
		b.must(q.Nack(t.Context(), errBad, got))
		if d := b.dead(q); len(d) != 1 || d[0].Attempts != 1 || !slices.Equal(attempts(d[0].History), []int{1, 1}) {
			t.Errorf("dead letters: %+v", d)
		}
	})
}

func TestDroppedLettersAreGoneAndCounted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", MaxAttempts: 1})
		b.push(q, "1", "2", "3")
		b.must(q.Nack(t.Context(), errBad, b.take(q, 3)...))
		if _, err := q.Drop(t.Context(), "unknown"); !errors.Is(err, ErrNoLetter) {
			t.Errorf("drop of an unknown id: %v", err)
		}
		n, err := q.Drop(t.Context(), "2")
		b.must(err)
		b.wantBooks(q, Books{Pushed: 3, Dropped: 1, Dead: 2})
		more, err := q.Drop(t.Context())
		b.must(err)
		if n != 1 || more != 2 {
			t.Errorf("dropped %d, then %d", n, more)
		}
		b.wantNothingKept(q)
		b.wantBooks(q, Books{Pushed: 3, Dropped: 3})
	})
}

func TestLettersPastTheirRetentionAreDropped(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", MaxAttempts: 1, Retention: time.Hour})
		b.push(q, "1", "2")
		b.must(q.Nack(t.Context(), errBad, b.take(q, 2)...))
		b.must(b.rdb.ZIncrBy(t.Context(), q.keys.Died, -float64(time.Hour.Milliseconds()+1), "1").Err())
		b.must(q.Tend(t.Context()))
		if d := b.dead(q); len(d) != 1 || d[0].ID != "2" {
			t.Errorf("dead letters: %+v", d)
		}
		if n := b.rdb.ZCard(t.Context(), q.keys.Died).Val(); n != 1 {
			t.Errorf("%d times of death are kept, want 1", n)
		}
		b.wantBooks(q, Books{Pushed: 2, Dropped: 1, Dead: 1})
	})
}

func TestMessageMayBeADeadLetterAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.resending()
		_, err := q.Push(t.Context(), Message{ID: "1", Body: []byte("\xff"), Dead: "no JSON"})
		b.must(err)
		if d := b.dead(q); len(d) != 1 || d[0].ID != "1" || d[0].Reason != "no JSON" || d[0].Attempts != 0 {
			t.Errorf("dead letters: %+v", d)
		}
		b.wantEmpty(q)
		b.wantBooks(q, Books{Pushed: 1, Dead: 1})
	})
}

// Whoever tells of deaths and notes the time tells of each once.
func TestDeathsAreReadInTheirOrderAndEachOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", MaxAttempts: 1})
		want := numbered(2*deathsAtOnce + 50)
		b.push(q, want...)
		got := b.take(q, len(want))
		b.must(q.Nack(t.Context(), errBad, got[:20]...))
		b.must(q.Nack(t.Context(), errBad, got[20:20+deathsAtOnce+30]...)) // all in one millisecond
		b.must(q.Nack(t.Context(), errBad, got[20+deathsAtOnce+30:]...))
		var told []string
		after := time.UnixMilli(0)
		b.until("all are told", func() bool {
			dead, until, err := q.Deaths(t.Context(), after)
			b.must(err)
			for _, d := range dead {
				told = append(told, d.ID)
			}
			after = until
			return len(told) >= len(want)
		})
		slices.Sort(told)
		if !slices.Equal(told, want) {
			t.Errorf("told of %d deaths, want %d", len(told), len(want))
		}
		if dead, _, err := q.Deaths(t.Context(), after); err != nil || len(dead) != 0 {
			t.Errorf("again: %v, %v", dead, err)
		}
	})
}

// Between the look at the letters and the script one may have been put back.
func TestDropLeavesAloneWhatIsNoDeadLetterAnyMore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1")
		n, err := q.scripts.drop.Run(t.Context(), b.rdb, q.all(), "1").Int()
		b.must(err)
		if n != 0 {
			t.Errorf("%d dropped", n)
		}
		b.want("received", b.take(q, 1), "1")
	})
}
