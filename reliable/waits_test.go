package reliable

import (
	"testing"
	"time"
)

func TestWaitsAreCountedAtTheFirstDelivery(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", Waits: true})
		old := b.redisNow().Add(-time.Minute)
		_, err := q.Push(t.Context(), Message{ID: "1", At: old}, Message{ID: "2", At: old}, Message{ID: "3"})
		b.must(err)
		got := b.take(q, 1)
		more, err := q.ReceiveMany(t.Context(), 5, 0)
		b.must(err)
		b.must(q.NackAfter(t.Context(), 0, errBad, append(got, more...)...))
		b.take(q, 3)
		books, err := q.Books(t.Context())
		b.must(err)
		if w := books.Waits; w.Count() != 3 || books.Failed != 3 {
			t.Errorf("counted %v, and %d failures", w, books.Failed)
		} else if least, most := w.Quantile(0.1), w.Quantile(0.95); least > 5*time.Second || most < time.Minute || most > 80*time.Second {
			t.Errorf("they have waited from %s to %s", least, most)
		}
	})
}

func TestWaitsAreNotCountedUnasked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2")
		b.take(q, 1)
		_, err := q.ReceiveMany(t.Context(), 5, 0)
		b.must(err)
		books, err := q.Books(t.Context())
		b.must(err)
		if n := books.Waits.Count(); n != 0 {
			t.Errorf("%d waits were counted", n)
		}
	})
}

func TestQuantilesOfWaits(t *testing.T) {
	t.Parallel()
	w := Waits{0: 90, 10: 5, 20: 5}
	for share, want := range map[float64]time.Duration{0: 0, 0.5: 0, 0.9: 0, 0.95: bound(10), 0.951: bound(20), 1: bound(20)} {
		if got := w.Quantile(share); got != want {
			t.Errorf("%g: %s, want %s", share, got, want)
		}
	}
	if (Waits{}).Quantile(0.5) != 0 {
		t.Error("nothing has waited for some time")
	}
	w.Add(Waits{20: 1, 30: 2})
	if since := w.Since(Waits{0: 90, 10: 5, 20: 5}); since.Count() != 3 || since[20] != 1 {
		t.Errorf("since: %v", since)
	}
	counts, sum := w.Buckets()
	if most := counts[bound(lastStep).Seconds()]; most != 103 || counts[0] != 90 || sum <= 0 {
		t.Errorf("buckets: %v, %g", counts, sum)
	}
	if d := bound(10); d < 8*time.Millisecond || d > 9*time.Millisecond {
		t.Errorf("bound 10 is %s", d)
	}
}
