package reliable

import (
	"strings"
	"testing"
	"time"
)

func TestFindSaysWhereAMessageIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.open(b.rdb, Config{Name: b.name, Worker: "w", MaxAttempts: 1, Receipts: 2})
		b.push(q, "dead", "done0", "done1", "done2", "hand", "list", "waits")
		_, err := q.Push(t.Context(), Message{ID: "later", Delay: time.Hour})
		b.must(err)
		got := b.take(q, 5)
		b.must(q.Nack(t.Context(), errBad, got[0]))
		for _, id := range []string{"done0", "done1", "done2"} {
			b.must(q.Ack(t.Context(), id))
		}
		b.must(q.Extend(t.Context()))
		b.take(q, 1)
		for id, want := range map[string]Place{
			"dead": Dead, "done0": Unknown, "done1": Done, "done2": Done, "hand": Taken, "list": Taken, "waits": Waiting, "later": Delayed, "never": Unknown,
		} {
			if place, err := q.Find(t.Context(), id); place != want || err != nil {
				t.Errorf("%s is %s, %v, want %s", id, place, err, want)
			}
		}
	})
}

func TestBooksOfAnOldQueueAreOpened(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.old("w")
		b.push(q, "new")
		if d, err := q.Depth(t.Context()); err != nil || d.Waiting != 4 { // only the books open the books
			t.Errorf("depth is %+v, %v", d, err)
		}
		b.wantBooks(q, Books{Pushed: 7, Waiting: 4, Taken: 3})
		b.must(b.rdb.RPop(t.Context(), q.keys.Pending).Err())
		books, err := q.Books(t.Context())
		b.must(err)
		if books.Imbalance() != 1 || !strings.Contains(books.String(), "missing 1") {
			t.Errorf("one is lost, and the books say %s", books)
		}
	})
}

func TestBooksOfANewQueueAreOpenFromItsFirstMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2")
		b.must(b.rdb.RPop(t.Context(), q.keys.Pending).Err())
		if books, err := q.Books(t.Context()); err != nil || books.Imbalance() != 1 {
			t.Errorf("one is lost, and the books say %s, %v", books, err)
		}
	})
}

func TestInHandShowsWhoHasWhat(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, other := b.worker("w"), b.worker("other")
		b.push(q, "1", "2", "3", "4")
		b.take(q, 1)
		b.take(other, 1)
		b.take(q, 1)
		hands, err := q.InHand(t.Context())
		b.must(err)
		b.want("in hand of w", hands["w"], "1", "3")
		b.want("in hand of other", hands["other"], "2")
		if len(hands) != 2 {
			t.Errorf("hands of %d workers", len(hands))
		}
	})
}

func TestDepthTellsTheAgeOfTheHead(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		_, err := q.Push(t.Context(), Message{ID: "1", At: b.redisNow().Add(-time.Minute)}, Message{ID: "2"})
		b.must(err)
		if d, err := q.Depth(t.Context()); err != nil || d.Oldest < time.Minute || d.Oldest > 2*time.Minute {
			t.Errorf("depth is %+v, %v", d, err)
		}
		b.take(q, 1)
		if d, err := q.Depth(t.Context()); err != nil || d.Oldest > 30*time.Second {
			t.Errorf("depth is %+v, %v", d, err)
		}
	})
}
