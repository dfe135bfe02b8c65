package reliable

import (
	"fmt"
	"testing"
	"time"
)

// What version 1 wrote: whole envelopes in the lists, no hash, no hands. The head
// is at the right.
var (
	oldPending = []string{
		`{"id":"p3","attempt":0,"at":1700000000003,"body":"c"}`, `{"id":"p2","attempt":2,"at":1700000000002,"body64":"/w=="}`,
		`{"id":"p1","attempt":0,"at":1700000000001,"body":"a"}`,
	}
	oldTaken = []string{
		`{"id":"t3","attempt":0,"at":1700000000003,"body":"c"}`, `{"id":"t2","attempt":1,"at":1700000000002,"body":"b"}`,
		`{"id":"t1","attempt":0,"at":1700000000001,"body":"a"}`,
	}
)

// old fills the queue of a worker as version 1 did.
func (b *bench) old(worker string) *Queue {
	b.Helper()
	q := b.worker(worker)
	for key, elements := range map[string][]string{q.keys.Pending: oldPending, q.taken: oldTaken} {
		for _, e := range elements {
			b.must(b.rdb.RPush(b.Context(), key, e).Err())
		}
	}
	b.setLease(q, time.Minute)
	return q
}

func TestOldQueueIsReceived(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.old("dead")
		q := b.worker("w")
		b.push(q, "new", "p1")
		b.wantWaiting(q, "p1", "p2", "p3", "new", "p1")
		b.resending()
		got := b.take(q, 5)
		b.want("received", got, "p1", "p2", "p3", "new", "p1")
		if m := got[1]; m.Attempt != 2 || m.At.UnixMilli() != 1700000000002 || string(m.Body) != "\xff" {
			t.Errorf("got %+v", m)
		}
		b.wantMine(q, "p1", "p2", "p3", "new", "p1")
		b.must(q.Ack(t.Context(), "p1", "p2"))
		b.must(q.Replace(t.Context(), "p3", messages("next")[0]))
		b.must(q.Bury(t.Context(), got[3], ErrMalformed))
		b.wantMine(q)
		b.want("received", b.take(q, 1), "next")
		b.must(q.Ack(t.Context(), "next"))
		if _, err := q.Drop(t.Context(), "new"); err != nil {
			t.Error(err)
		}
		b.wantNothingKept(q)
	})
}

func TestOldHandGoesHome(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		b.old("dead")
		q := b.worker("w")
		n, err := q.Reap(t.Context(), "dead")
		b.must(err)
		if n != 3 {
			t.Errorf("%d went home, want 3", n)
		}
		got := b.take(q, 6)
		b.want("received", got, "t1", "t2", "t3", "p1", "p2", "p3")
		for i, want := range []int{1, 2, 1, 0, 2, 0} {
			if got[i].Attempt != want {
				t.Errorf("%s has attempt %d, want %d", got[i].ID, got[i].Attempt, want)
			}
		}
		for _, m := range got {
			b.must(q.Ack(t.Context(), m.ID))
		}
		b.wantNothingKept(q)
	})
}

// A queue that is half old is one queue, also where it is long.
func TestOldAndNewGoHomeTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		dead, q := b.old("dead"), b.worker("w")
		b.must(b.rdb.Del(t.Context(), dead.keys.Pending).Err())
		want := []string{"t1", "t2", "t3"}
		b.take(dead, 3)
		for i := range homeAtOnce + 11 {
			want = append(want, fmt.Sprint(i))
		}
		b.push(q, want[3:]...)
		b.take(dead, homeAtOnce+10)
		b.must(b.rdb.LMove(t.Context(), q.keys.Pending, dead.taken, "RIGHT", "LEFT").Err())
		b.setLease(dead, -time.Millisecond)
		if _, err := q.Reap(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := q.Peek(t.Context(), 1000)
		b.must(err)
		b.want("waiting", got, want...)
		if got[0].Attempt != 1 || got[500].Attempt != 1 {
			t.Errorf("attempts are %d and %d", got[0].Attempt, got[500].Attempt)
		}
	})
}
