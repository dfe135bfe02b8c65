package reliable

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
)

// lengths are how many other messages the queue holds. What is measured must not
// depend on it.
var lengths = []int{10, 1_000, 100_000}

// long runs a benchmark on a queue of each length: n wait, and n are in the hand
// of the worker, all of them older and younger than the b.N called mine-0, mine-1
// and so on.
func long(b *testing.B, step func(q *Queue, i int)) {
	b.Helper()
	for _, n := range lengths {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rdb := redistest.Redis(b)
			q, err := New(rdb, Config{Name: redistest.Name("bench"), Worker: "w", Lease: time.Hour, Dedup: time.Minute})
			if err != nil {
				b.Fatal(err)
			}
			fill(b, q, n, "hand", "wait")
			fill(b, q, b.N, "mine")
			b.ResetTimer()
			for i := range b.N {
				step(q, i)
			}
			b.StopTimer()
			_ = rdb.Del(b.Context(), q.keys.Pending, q.keys.Messages, q.hand).Err()
		})
	}
}

func fill(b *testing.B, q *Queue, n int, places ...string) {
	b.Helper()
	pipe := q.rdb.Pipeline()
	for i := range n {
		for _, where := range places {
			id := fmt.Sprintf("%s-%d", where, i)
			raw, err := Encode(Message{ID: id, At: time.Now(), Body: make([]byte, 200)})
			if err != nil {
				b.Fatal(err)
			}
			pipe.HSet(b.Context(), q.keys.Messages, id, raw)
			if where != "wait" {
				pipe.ZAdd(b.Context(), q.hand, redis.Z{Score: float64(i % 1000), Member: id})
			} else {
				pipe.LPush(b.Context(), q.keys.Pending, "# "+id)
			}
		}
		if pipe.Len() > 10000 || i == n-1 {
			if _, err := pipe.Exec(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkAckInLongList(b *testing.B) {
	long(b, func(q *Queue, i int) {
		must(b, q.Ack(b.Context(), fmt.Sprintf("mine-%d", i)))
	})
}

func BenchmarkReceiveAndAck(b *testing.B) {
	long(b, func(q *Queue, _ int) {
		_, err := q.Push(b.Context(), Message{Body: make([]byte, 200)})
		must(b, err)
		m, err := q.Receive(b.Context(), 0)
		must(b, err)
		must(b, q.Ack(b.Context(), m.ID))
	})
}
