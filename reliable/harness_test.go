package reliable

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
)

// patience is how long a test waits for an event; it proves nothing by itself.
const patience = 20 * time.Second

// each runs a test over every backend. What differs on miniredis: it wakes
// blocked workers in random order, and lets keys expire in steps (see
// redistest.Features). No rule here depends on either.
func each(t *testing.T, test func(t *testing.T, b *bench)) {
	t.Helper()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		test(t, &bench{T: t, rdb: rdb, name: redistest.Name("queue")})
	})
}

// bench is one test's queue.
type bench struct {
	*testing.T
	rdb  redis.UniversalClient
	name string
}

// worker opens the queue as a worker.
func (b *bench) worker(name string) *Queue {
	b.Helper()
	return b.open(b.rdb, Config{Name: b.name, Worker: name})
}

func (b *bench) open(rdb redis.UniversalClient, cfg Config) *Queue {
	b.Helper()
	q, err := New(rdb, cfg)
	b.must(err)
	return q
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// push pushes messages whose body is their id.
func (b *bench) push(q *Queue, ids ...string) {
	b.Helper()
	_, err := q.Push(b.Context(), messages(ids...)...)
	b.must(err)
}

func messages(ids ...string) []Message {
	var list []Message
	for _, id := range ids {
		list = append(list, Message{ID: id, Body: []byte(id)})
	}
	return list
}

// take receives messages that are there.
func (b *bench) take(q *Queue, n int) []Message {
	b.Helper()
	var got []Message
	for range n {
		m, err := q.Receive(b.Context(), 0)
		b.must(err)
		got = append(got, m)
	}
	return got
}

func (b *bench) want(what string, got []Message, ids ...string) {
	b.Helper()
	var have []string
	for _, m := range got {
		have = append(have, m.ID)
	}
	if !slices.Equal(have, ids) {
		b.Errorf("%s: %q, want %q", what, have, ids)
	}
}

func (b *bench) wantWaiting(q *Queue, ids ...string) {
	b.Helper()
	got, err := q.Peek(b.Context(), 100)
	b.must(err)
	b.want("waiting", got, ids...)
}

func (b *bench) wantMine(q *Queue, ids ...string) {
	b.Helper()
	got, err := q.Mine(b.Context())
	b.must(err)
	b.want("in hand", got, ids...)
}

func (b *bench) wantEmpty(q *Queue) {
	b.Helper()
	if m, err := q.Receive(b.Context(), 0); !errors.Is(err, ErrEmpty) {
		b.Errorf("received %+v, %v from what should be empty", m, err)
	}
}

// wantNothingKept finds envelopes of messages that are done with.
func (b *bench) wantNothingKept(q *Queue) {
	b.Helper()
	if kept := b.rdb.HKeys(b.Context(), q.keys.Messages).Val(); len(kept) != 0 {
		b.Errorf("kept: %q", kept)
	}
}

// redisNow is the clock that decides.
func (b *bench) redisNow() time.Time {
	b.Helper()
	if c, ok := b.rdb.(*redis.ClusterClient); ok {
		node, err := c.MasterForKey(b.Context(), "{q:"+b.name+"}")
		b.must(err)
		return node.Time(b.Context()).Val()
	}
	return b.rdb.Time(b.Context()).Val()
}

// setLease ends a worker's lease a while from now, or a while ago.
func (b *bench) setLease(q *Queue, in time.Duration) {
	b.Helper()
	end := float64(b.redisNow().Add(in).UnixMilli())
	b.must(b.rdb.ZAdd(b.Context(), q.keys.Takers, redis.Z{Score: end, Member: q.Worker()}).Err())
}

// until waits for something that another process or Redis' clock brings about.
func (b *bench) until(what string, happened func() bool) {
	b.Helper()
	for end := time.Now().Add(patience); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("it never happened: %s", what)
		}
	}
}

// lossy is a hook on the answers to one command: resend sends it twice, as
// go-redis does after a lost answer; drop loses the answer for good.
type lossy struct {
	command      string
	resend, drop atomic.Bool
	before       func(ctx context.Context) // called before each such command
	fails        func() error              // in place of the command, where it answers an error
}

var errLost = errors.New("connection reset by a test")

func (l *lossy) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *lossy) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if slices.ContainsFunc(cmds, func(c redis.Cmder) bool { return c.Name() == l.command }) && l.before != nil {
			l.before(ctx)
		}
		return next(ctx, cmds)
	}
}

func (l *lossy) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() != l.command {
			return next(ctx, cmd)
		}
		if l.before != nil {
			l.before(ctx)
		}
		if l.fails != nil {
			if err := l.fails(); err != nil {
				cmd.SetErr(err)
				return err
			}
		}
		err := next(ctx, cmd)
		if l.resend.Load() && err == nil {
			err = next(ctx, cmd)
		}
		if l.drop.Swap(false) {
			cmd.SetErr(errLost)
			return errLost
		}
		return err
	}
}

// resending has every script of this client sent twice.
func (b *bench) resending() {
	for _, command := range []string{"evalsha", "eval"} {
		hook := &lossy{command: command}
		hook.resend.Store(true)
		b.rdb.AddHook(hook)
	}
}

// wantBooks asserts that the books add up, and what is where.
func (b *bench) wantBooks(q *Queue, want Books) {
	b.Helper()
	got, err := q.Books(b.Context())
	b.must(err)
	got.Waits, got.Failed = nil, 0
	if got.String() != want.String() || got.Imbalance() != 0 {
		b.Errorf("the books say %s, want %s", got, want)
	}
}

func (b *bench) dead(q *Queue) []DeadMessage {
	b.Helper()
	dead, err := q.Dead(b.Context())
	b.must(err)
	return dead
}
