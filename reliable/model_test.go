package reliable

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
)

// Eight workers do anything at once, and die. What was pushed is at every end done,
// dead or there, each message once; and first deliveries keep the order of the pushes.
func TestEightWorkersAndTheirDeathsLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	operations := 10_000
	if os.Getenv("PRPFLOW_TORTURE") != "" {
		operations = 100_000
	}
	for name, open := range map[string]func(*testing.T) redis.UniversalClient{
		"redis":   func(t *testing.T) redis.UniversalClient { return redistest.Redis(t) },
		"cluster": redistest.Cluster,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &model{bench: &bench{T: t, rdb: open(t), name: redistest.Name("model")}, state: map[string]string{}, order: map[string]int{}}
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() { m.live(i, operations/8) })
			}
			wg.Wait()
			m.finish()
			t.Logf("%d operations: %v", operations, m.counts)
		})
	}
}

// model is what must be true of a queue.
type model struct {
	*bench
	mu     sync.Mutex
	pushed int
	state  map[string]string // id -> in, done
	order  map[string]int    // id -> place in which it was pushed; 0 where it may come at any time
	counts map[string]int
}

func (m *model) note(what string, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.counts == nil {
		m.counts = map[string]int{}
	}
	m.counts[what] += n
}

// live is the life of a worker, and of its heirs.
func (m *model) live(seed, operations int) {
	r := rand.New(rand.NewPCG(uint64(seed), 7))
	w := m.born()
	for i := range operations {
		if i%50 == 0 {
			m.must(w.q.Extend(m.Context()))
		}
		switch n := r.IntN(100); {
		case n < 30:
			m.push(w.q, r)
		case n < 55:
			w.take(r)
		case n < 75:
			w.settle(r, "done")
		case n < 85:
			w.settle(r, "fail")
		case n < 90:
			w.settle(r, "release")
		case n < 93:
			w.settle(r, "bury")
		case n < 95: // it dies with all it has; the others find out
			m.note("deaths", 1)
			_, err := w.q.Reap(m.Context(), w.q.Worker())
			m.must(err)
			w = m.born()
		case n < 96: // it dies and nobody is told: its lease ends
			m.note("silent deaths", 1)
			m.setLease(w.q, 0)
			w = m.born()
		case n < 98:
			m.must(w.q.Tend(m.Context()))
		default:
			_, err := w.q.Replay(m.Context())
			m.must(err)
		}
	}
	_, err := w.q.Reap(m.Context(), w.q.Worker())
	m.must(err)
}

// taker is a worker and what it believes to have in hand.
type taker struct {
	m    *model
	q    *Queue
	hand []Message
	last int // place of the last message that it was given for the first time
}

func (m *model) born() *taker {
	return &taker{m: m, q: m.open(m.rdb, Config{Name: m.name, MaxAttempts: 4, Backoff: time.Millisecond, Lease: time.Minute})}
}

// push pushes messages, of which some are known already, and notes their order.
func (m *model) push(q *Queue, r *rand.Rand) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Message
	for range 1 + r.IntN(3) {
		id := fmt.Sprint("m", m.pushed)
		m.pushed++
		m.order[id], m.state[id] = m.pushed, "in"
		msg := Message{ID: id, Body: []byte(id)}
		switch r.IntN(20) {
		case 0:
			msg.Delay = time.Duration(1+r.IntN(20)) * time.Millisecond
			m.order[id] = 0
		case 1:
			msg.TTL = time.Duration(1+r.IntN(20)) * time.Millisecond
			m.order[id] = 0 // it may be replayed
		}
		list = append(list, msg)
	}
	n, err := q.Push(m.Context(), list...)
	m.must(err)
	if n != len(list) {
		m.Errorf("%d of %d are new", n, len(list))
	}
	if again, err := q.Push(m.Context(), list[0]); err != nil || again != 0 {
		m.Errorf("pushed again it is new: %d, %v", again, err)
	}
}

func (w *taker) take(r *rand.Rand) {
	got, err := w.q.ReceiveMany(w.m.Context(), 1+r.IntN(5), 0)
	if errors.Is(err, ErrEmpty) {
		return
	}
	w.m.must(err)
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	for _, m := range got {
		if string(m.Body) != m.ID {
			w.m.Errorf("%s came with the body %q", m.ID, m.Body)
		}
		if w.m.state[m.ID] == "done" {
			w.m.Errorf("%s was delivered after it was acknowledged", m.ID)
		}
		if place := w.m.order[m.ID]; place > 0 && m.Attempt == 0 && m.History == nil {
			if place < w.last {
				w.m.Errorf("%s came after a younger one", m.ID)
			}
			w.last = place
		}
		w.hand = append(w.hand, m)
	}
}

// settle ends the work at some of what is in hand.
func (w *taker) settle(r *rand.Rand, how string) {
	if len(w.hand) == 0 {
		return
	}
	n := 1 + r.IntN(len(w.hand))
	some := w.hand[:n]
	w.hand = slices.Clone(w.hand[n:])
	ctx := w.m.Context()
	w.m.note(how, n)
	switch how {
	case "fail":
		w.m.must(w.q.Nack(ctx, errBad, some...))
	case "release": // they come again, and not in the order of the others
		w.m.mu.Lock()
		for _, m := range some {
			w.m.order[m.ID] = 0
		}
		w.m.mu.Unlock()
		w.m.must(w.q.Release(ctx, some...))
	case "bury":
		for _, m := range some {
			w.m.must(w.q.Bury(ctx, m, errBad))
		}
	case "done":
		ids := make([]string, 0, n)
		w.m.mu.Lock()
		for _, m := range some {
			ids = append(ids, m.ID)
			if w.m.state[m.ID] == "done" {
				w.m.Errorf("%s is acknowledged twice", m.ID)
			}
			w.m.state[m.ID] = "done"
		}
		w.m.mu.Unlock()
		w.m.must(w.q.Ack(ctx, ids...))
	}
}

// finish lets a last worker take what is left, and adds up.
func (m *model) finish() {
	ctx := context.WithoutCancel(m.Context())
	last := m.open(m.rdb, Config{Name: m.name, MaxAttempts: 4, Backoff: time.Millisecond})
	_, err := last.Reap(ctx)
	m.must(err)
	books, err := last.Books(ctx)
	m.must(err)
	if books.Imbalance() != 0 || books.Pushed != int64(m.pushed) || books.Taken != 0 {
		m.Errorf("%d were pushed, and the books say %s", m.pushed, books)
	}
	seen := map[string]int{}
	for end := time.Now().Add(patience); time.Now().Before(end); {
		got, err := last.ReceiveMany(ctx, 100, 50*time.Millisecond)
		if errors.Is(err, ErrEmpty) {
			d, err := last.Depth(ctx)
			m.must(err)
			if d.Delayed == 0 {
				break
			}
			continue
		}
		m.must(err)
		ids := make([]string, len(got))
		for i, msg := range got {
			ids[i] = msg.ID
			seen[msg.ID]++
		}
		m.must(last.Ack(ctx, ids...))
	}
	dead, err := last.Dead(ctx)
	m.must(err)
	for _, d := range dead {
		seen[d.ID]++
	}
	for id, state := range m.state {
		if want := map[string]int{"done": 0, "in": 1}[state]; seen[id] != want {
			m.Errorf("%s is %s and was found %d times at the end", id, state, seen[id])
		}
	}
}
