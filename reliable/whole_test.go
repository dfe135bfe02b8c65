package reliable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/prpflow/prpflow/internal/redistest"
)

// Whatever workers do, whichever answer is lost and whatever is sent twice: each
// message is in one place and has its envelope, no envelope is without a place,
// and in the end each message is received, but for those that were settled.
func TestEachMessageIsInOnePlace(t *testing.T) {
	t.Parallel()
	server := redistest.Redis(t).(*redis.Client)
	rapid.Check(t, func(t *rapid.T) {
		w := &places{T: t, ctx: t.Context(), raw: server, prefix: "{q:" + redistest.Name("q") + "}"}
		for i := range 3 {
			rdb := redis.NewClient(&redis.Options{Addr: server.Options().Addr, MaxRetries: -1})
			defer rdb.Close()
			rdb.AddHook(w)
			q, err := New(rdb, Config{Prefix: w.prefix, Worker: fmt.Sprint("w", i), MaxAttempts: 3, Backoff: time.Millisecond, Limit: 20})
			w.must(err)
			w.workers = append(w.workers, q)
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { w.check() },
			"push": func(t *rapid.T) {
				id := w.id(t)
				if rapid.Bool().Draw(t, "after its window") {
					w.raw.Del(w.ctx, w.prefix+":seen:"+id)
				}
				w.try(t, func(q *Queue) error { _, err := q.Push(w.ctx, messages(id, w.id(t))...); return err })
			},
			"push as older versions do": func(t *rapid.T) {
				w.raw.LPush(w.ctx, w.prefix+":pending", fmt.Sprintf(`{"id":%q,"attempt":0,"at":0,"body":""}`, w.id(t)))
				w.old++
			},
			"push what is special": func(t *rapid.T) {
				m := Message{ID: w.id(t), Once: fmt.Sprint(w.once)}
				w.once++
				switch rapid.IntRange(0, 3).Draw(t, "how") {
				case 0:
					m.Delay = time.Millisecond
				case 1:
					m.TTL = time.Millisecond
				case 2:
					m.Delay, m.TTL = 2*time.Millisecond, time.Millisecond
				case 3:
					m.MaxAttempts = 1
				}
				w.try(t, func(q *Queue) error { _, err := q.Push(w.ctx, m); return err })
			},
			"receive many": func(t *rapid.T) {
				w.try(t, func(q *Queue) error { _, err := q.ReceiveMany(w.ctx, 3, 0); return err })
			},
			"nack": func(t *rapid.T) {
				w.try(t, func(q *Queue) error { return q.Nack(w.ctx, errLost, Message{ID: w.id(t)}, Message{ID: w.id(t)}) })
			},
			"release": func(t *rapid.T) {
				w.try(t, func(q *Queue) error { return q.Release(w.ctx, Message{ID: w.id(t)}, Message{ID: w.id(t)}) })
			},
			"tend":   func(t *rapid.T) { w.try(t, func(q *Queue) error { return q.Tend(w.ctx) }) },
			"replay": func(t *rapid.T) { w.try(t, func(q *Queue) error { _, err := q.Replay(w.ctx); return err }) },
			"replay one": func(t *rapid.T) {
				w.try(t, func(q *Queue) error { _, err := q.Replay(w.ctx, w.id(t)); return err })
			},
			"drop": func(t *rapid.T) { w.try(t, func(q *Queue) error { _, err := q.Drop(w.ctx, w.id(t)); return err }) },
			"purge": func(t *rapid.T) {
				if rapid.IntRange(0, 3).Draw(t, "really") == 0 {
					w.try(t, func(q *Queue) error { _, err := q.Purge(w.ctx); return err })
				}
			},
			"pause":  func(t *rapid.T) { w.try(t, func(q *Queue) error { return q.Pause(w.ctx) }) },
			"resume": func(t *rapid.T) { w.try(t, func(q *Queue) error { return q.Resume(w.ctx) }) },
			"receive": func(t *rapid.T) {
				w.try(t, func(q *Queue) error { _, err := q.Receive(w.ctx, 0); return err })
			},
			"a BLMOVE comes late": func(t *rapid.T) {
				q := w.workers[w.who(t)]
				_ = w.raw.LMove(w.ctx, q.keys.Pending, q.taken, "RIGHT", "LEFT").Err()
				w.raw.ZAdd(w.ctx, q.keys.Takers, redis.Z{Score: 1, Member: q.Worker()})
			},
			"ack":    func(t *rapid.T) { w.try(t, func(q *Queue) error { return q.Ack(w.ctx, w.id(t), w.id(t)) }) },
			"extend": func(t *rapid.T) { w.try(t, func(q *Queue) error { return q.Extend(w.ctx) }) },
			"mine":   func(t *rapid.T) { w.try(t, func(q *Queue) error { _, err := q.Mine(w.ctx); return err }) },
			"bury": func(t *rapid.T) {
				w.try(t, func(q *Queue) error { return q.Bury(w.ctx, Message{ID: w.id(t)}, errLost) })
			},
			"park":  func(t *rapid.T) { w.try(t, func(q *Queue) error { return q.Park(w.ctx, "s", w.id(t)) }) },
			"adopt": func(t *rapid.T) { w.try(t, func(q *Queue) error { return q.Adopt(w.ctx, "s") }) },
			"reap": func(t *rapid.T) {
				w.try(t, func(q *Queue) error { _, err := q.Reap(w.ctx, fmt.Sprint("w", w.who(t))); return err })
			},
			"replace": func(t *rapid.T) {
				w.try(t, func(q *Queue) error { return q.Replace(w.ctx, w.id(t), messages(w.id(t))[0]) })
			},
		})
		w.drain()
	})
}

// places is the queue of that test, and the network of its workers.
type places struct {
	*rapid.T
	ctx     context.Context //nolint:containedctx // of the test
	raw     *redis.Client
	prefix  string
	workers []*Queue
	once    int  // for marks that no other push has
	old     int  // what was pushed behind the books' back
	twice   bool // every script is sent twice
	lost    bool // and its answer is lost
}

func (w *places) must(err error) {
	if err != nil {
		w.Fatal(err)
	}
}

func (w *places) id(t *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
}
func (w *places) who(t *rapid.T) int { return rapid.IntRange(0, 2).Draw(t, "worker") }

// try lets a worker do something over a bad network.
func (w *places) try(t *rapid.T, do func(q *Queue) error) {
	w.twice, w.lost = rapid.Bool().Draw(t, "twice"), rapid.Bool().Draw(t, "lost")
	err := do(w.workers[w.who(t)])
	w.twice, w.lost = false, false
	if err != nil && !errors.Is(err, errLost) && !errors.Is(err, ErrEmpty) && !errors.Is(err, ErrNotTaken) &&
		!errors.Is(err, ErrFull) && !errors.Is(err, ErrNoLetter) {
		t.Fatal(err)
	}
}

func (w *places) DialHook(next redis.DialHook) redis.DialHook { return next }
func (w *places) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (w *places) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if w.twice && err == nil {
			err = next(ctx, cmd)
		}
		if w.lost && err == nil {
			cmd.SetErr(errLost)
			return errLost
		}
		return err
	}
}

// keys are those of the elements of a list; whole envelopes are left out.
func keys(elements []string) (keys []string) {
	for _, e := range elements {
		if key, ok := keyOf(e); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

func (w *places) check() {
	have := keys(w.raw.LRange(w.ctx, w.prefix+":pending", 0, -1).Val())
	for _, name := range []string{"w0", "w1", "w2", shelf + "s"} {
		have = append(have, keys(w.raw.LRange(w.ctx, w.prefix+":taken:"+name, 0, -1).Val())...)
		have = append(have, w.raw.ZRange(w.ctx, w.prefix+":hand:"+name, 0, -1).Val()...)
	}
	for _, key := range w.raw.SMembers(w.ctx, w.prefix+":gone").Val() { // its element is still in a list, once
		i := slices.Index(have, key)
		if i < 0 {
			w.Fatalf("%q is gone and has no element", key)
		}
		have = slices.Delete(have, i, i+1)
	}
	have = append(have, w.raw.HKeys(w.ctx, w.prefix+":dead").Val()...)
	have = append(have, w.raw.ZRange(w.ctx, w.prefix+":delayed", 0, -1).Val()...)
	want := w.raw.HKeys(w.ctx, w.prefix+":messages").Val()
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		w.Logf("in lists and hands are %q, and there are envelopes of %q", have, want)
		w.Fatal("a message without an envelope, or an envelope without a place")
	}
	if died := w.raw.ZRange(w.ctx, w.prefix+":died", 0, -1).Val(); len(died) != len(w.raw.HKeys(w.ctx, w.prefix+":dead").Val()) {
		w.Fatalf("dead are others than have died: %q", died)
	}
	for _, key := range w.raw.HKeys(w.ctx, w.prefix+":tries").Val() {
		if !slices.Contains(want, key) {
			w.Fatalf("something is known of %q, which is not there", key)
		}
	}
	_, books, err := w.workers[0].count(w.ctx, false)
	w.must(err)
	if books.Imbalance() != -int64(w.old) {
		w.Fatalf("with %d messages that older versions pushed the books say %s", w.old, books)
	}
}

// drain has a new worker receive all that is left.
func (w *places) drain() {
	last, err := New(w.raw, Config{Prefix: w.prefix, Worker: "last"})
	w.must(err)
	w.must(last.Resume(w.ctx))
	w.must(last.Adopt(w.ctx, "s"))
	_, err = last.Reap(w.ctx, "w0", "w1", "w2", "last")
	w.must(err)
	for d := (Depth{Waiting: 1}); d.Waiting+d.Delayed > 0; {
		m, err := last.Receive(w.ctx, 10*time.Millisecond)
		if !errors.Is(err, ErrEmpty) {
			w.must(err)
			w.must(last.Ack(w.ctx, m.ID))
		}
		d, err = last.Depth(w.ctx)
		w.must(err)
	}
	d, err := last.Depth(w.ctx)
	w.must(err)
	if d.Waiting+d.Taken != 0 || w.raw.HLen(w.ctx, last.keys.Messages).Val() != d.Dead {
		w.Fatalf("left is %+v", d)
	}
}
