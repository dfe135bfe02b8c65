package reliable

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
)

func wantError(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v does not say %q", err, text)
	}
}

func TestReceiveWaitsForAMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		blocked := make(chan struct{}, 100)
		b.rdb.AddHook(&lossy{command: "blmove", before: func(context.Context) { blocked <- struct{}{} }})
		for _, wait := range []time.Duration{patience, -1} {
			got := make(chan Message, 1)
			go func() {
				m, err := q.Receive(t.Context(), wait)
				if err != nil {
					t.Error(err)
				}
				got <- m
			}()
			<-blocked
			id := redistest.Name("m")
			b.push(b.worker("producer"), id)
			b.want("received", []Message{<-got}, id)
		}
	})
}

func TestReceiveAnswersEmptyInTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		start := time.Now()
		_, err := q.Receive(t.Context(), 30*time.Millisecond)
		if took := time.Since(start); !errors.Is(err, ErrEmpty) || took < 30*time.Millisecond {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

func TestReceiveEndsWithItsContext(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		ctx, cancel := context.WithCancel(t.Context())
		b.rdb.AddHook(&lossy{command: "blmove", before: func(context.Context) { cancel() }})
		if _, err := q.Receive(ctx, -1); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		short, end := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer end()
		if _, err := q.Receive(short, patience); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("out of time: %v", err)
		}
		b.push(q, "1")
		b.want("received", b.take(q, 1), "1")
	})
}

func TestReceiveTakesTheLeaseFirst(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		looked := make(chan struct{}, 100)
		b.rdb.AddHook(&lossy{command: "blmove", before: func(ctx context.Context) {
			if err := b.rdb.ZScore(ctx, q.keys.Takers, "w").Err(); err != nil {
				t.Errorf("the worker takes before it is among the takers: %v", err)
			}
			looked <- struct{}{}
		}})
		got := make(chan error)
		go func() {
			_, err := q.Receive(t.Context(), patience)
			got <- err
		}()
		<-looked
		b.push(b.worker("producer"), "1")
		b.must(<-got)
	})
}

func TestWhatDoesNotDecodeStopsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		bad := []string{"no json", `{"id":7}`, "\xff\xfe", "no json"}
		for _, raw := range bad {
			b.must(b.rdb.LPush(t.Context(), q.keys.Pending, raw).Err())
		}
		b.push(q, "1")
		b.resending()
		before := b.redisNow().Truncate(time.Millisecond)
		b.want("received", b.take(q, 1), "1")
		after := b.redisNow()
		b.wantMine(q, "1")
		if n := b.rdb.LLen(t.Context(), q.taken).Val(); n != 1 {
			t.Errorf("%d elements in hand, want 1", n)
		}
		dead, err := q.Dead(t.Context())
		b.must(err)
		left := map[string]int{"no json": 2, `{"id":7}`: 1, "\xff\xfe": 1}
		for i, d := range dead {
			left[string(d.Raw)]--
			if d.Attempts != 0 || d.History != nil || d.Worker != "w" || d.Reason == "" || d.ID == "" || d.At.Before(before) || d.At.After(after) {
				t.Errorf("dead letter %+v", d)
			}
			if i > 0 && d.At.Before(dead[i-1].At) {
				t.Error("not the oldest first")
			}
		}
		if len(dead) != len(bad) || left["no json"] != 0 || left[`{"id":7}`] != 0 || left["\xff\xfe"] != 0 {
			t.Errorf("dead letters %+v", dead)
		}
	})
}

// Two looks at one bad element make one dead letter.
func TestQuarantineOfWhatIsGoneChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.must(q.quarantine(t.Context(), "gone", errors.New("why")))
		dead, err := q.Dead(t.Context())
		b.must(err)
		if len(dead) != 0 {
			t.Errorf("dead letters: %+v", dead)
		}
	})
}

// The answer that hands out a message may be lost; the next one gives the same.
func TestLostAnswerLosesNoMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2", "3")
		b.take(q, 1)
		hook := &lossy{command: "evalsha"}
		b.rdb.AddHook(hook)
		hook.drop.Store(true)
		if _, err := q.Receive(t.Context(), 0); !errors.Is(err, errLost) {
			t.Fatalf("the answer was not lost: %v", err)
		}
		b.want("received", b.take(q, 2), "2", "3")
		b.wantEmpty(q)
		b.must(q.Ack(t.Context(), "1", "2", "3"))
		b.wantMine(q)
	})
}

// However long the network was away since, and without another Receive.
func TestWhatNobodyReceivedGoesHomeWithTheNextRenewal(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "0", "1", "2", "3")
		b.take(q, 1)
		hook := &lossy{command: "evalsha"}
		b.rdb.AddHook(hook)
		hook.drop.Store(true)
		if _, err := q.Receive(t.Context(), 0); !errors.Is(err, errLost) {
			t.Fatalf("the answer was not lost: %v", err)
		}
		b.must(b.rdb.LMove(t.Context(), q.keys.Pending, q.taken, "RIGHT", "LEFT").Err()) // a BLMOVE that came late
		b.resending()
		b.must(q.Extend(t.Context()))
		b.wantMine(q, "0")
		b.wantWaiting(q, "1", "2", "3")
		if n := q.Held(); n != 1 {
			t.Errorf("it has %d in hand, want 1", n)
		}
		if got := b.take(q, 1)[0]; got.ID != "1" || got.Attempt != 0 {
			t.Errorf("received %+v", got)
		}
	})
}

// A renewal must not take home what a Receive is just being given.
func TestRenewalLeavesAloneWhatIsBeingReceived(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		blocked := make(chan struct{}, 1000)
		b.rdb.AddHook(&lossy{command: "blmove", before: func(context.Context) { blocked <- struct{}{} }})
		got := make(chan error)
		go func() {
			m, err := q.Receive(t.Context(), patience)
			if err == nil && m.ID != "1" {
				err = errors.New("received " + m.ID)
			}
			got <- err
		}()
		<-blocked
		b.must(b.rdb.LPush(t.Context(), q.taken, `{"id":"1"}`).Err())
		b.must(q.Extend(t.Context()))
		b.wantWaiting(q)
		b.must(<-got)
		b.must(q.Extend(t.Context()))
		b.wantMine(q, "1")
	})
}

// Each of many that receive as one worker is given messages of its own.
func TestOneWorkerReceivesManyAtOnceAndNoneTwice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q, producer := b.worker("w"), b.worker("producer")
		const n, receivers = 200, 8
		ids := make(chan string, n)
		var wg sync.WaitGroup
		for range receivers {
			wg.Go(func() {
				for range n / receivers {
					m, err := q.Receive(t.Context(), patience)
					if err == nil {
						err = q.Ack(t.Context(), m.ID)
					}
					if err != nil {
						t.Error(err)
						return
					}
					ids <- m.ID
				}
			})
		}
		for i := range n {
			b.push(producer, fmt.Sprint(i))
		}
		wg.Wait()
		close(ids)
		seen := map[string]bool{}
		for id := range ids {
			if seen[id] {
				t.Errorf("%s was received twice", id)
			}
			seen[id] = true
		}
		b.wantMine(q)
		b.wantNothingKept(q)
	})
}

func TestTakeIsSentOnce(t *testing.T) {
	t.Parallel()
	var cmd redis.Cmder = once{redis.NewCmd(t.Context(), "LMOVE")}
	if !cmd.NoRetry() {
		t.Error("go-redis may send it twice")
	}
}

func TestServerThatDiesLosesNothing(t *testing.T) {
	t.Parallel()
	// With everysec a write waits for a sync that is under way, up to two seconds.
	server := redistest.Server(t, "--appendfsync", "always")
	b := &bench{T: t, rdb: server.Client(), name: "mail"}
	q := b.worker("w")
	b.push(q, "1", "2", "3")
	b.take(q, 1)
	server.Kill()
	if _, err := q.Receive(t.Context(), 0); err == nil || errors.Is(err, ErrEmpty) {
		t.Errorf("without a server: %v", err)
	}
	server.Restart()
	b.wantMine(q, "1")
	b.push(q, "1", "2", "3", "4")
	b.want("received", b.take(q, 3), "2", "3", "4")
}

// What a call has taken whose answer is on its way is that call's.
func TestRenewalLeavesAloneWhatACallUnderWayHasTaken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2")
		q.taking.RLock()
		c, err := q.call(t.Context(), 1)
		b.must(err)
		answer, err := q.scripts.take.Run(t.Context(), b.rdb, q.all(), c.args...).Slice()
		b.must(err)
		b.must(q.Extend(t.Context()))
		b.wantWaiting(q, "2")
		b.want("received by another call", b.take(q, 1), "2")
		got, _, err := q.answered(t.Context(), c, answer, nil)
		b.must(err)
		q.taking.RUnlock()
		b.want("received", got, "1")
		b.must(q.Ack(t.Context(), "1", "2"))
		b.wantNothingKept(q)
	})
}

func TestRenewalKeepsWhatWasReceivedAndSendsHomeTheRest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1", "2", "3")
		b.take(q, 1)
		b.must(b.rdb.LMove(t.Context(), q.keys.Pending, q.taken, "RIGHT", "LEFT").Err()) // a BLMOVE that came late
		b.resending()
		b.must(q.Extend(t.Context()))
		b.wantMine(q, "1")
		b.wantWaiting(q, "2", "3")
		b.must(q.Ack(t.Context(), "1"))
		b.wantBooks(q, Books{Pushed: 3, Done: 1, Waiting: 2})
	})
}

// What is no message cannot be put aside just now: the messages beside it are not lost.
func TestMessagesBesideWhatCannotBePutAsideComeAgain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, b *bench) {
		q := b.worker("w")
		b.push(q, "1")
		b.must(b.rdb.LPush(t.Context(), q.keys.Pending, "no json").Err())
		b.push(q, "2")
		b.must(q.quarantine(t.Context(), "none", errLost)) // so that Redis knows the script
		_, err := b.worker("other").ReceiveMany(t.Context(), 5, 0)
		b.must(err)
		_, err = q.Reap(t.Context(), "other")
		b.must(err)
		calls := 0
		b.rdb.AddHook(&lossy{command: "evalsha", fails: func() error {
			if calls++; calls == 2 { // the first takes
				return errLost
			}
			return nil
		}})
		b.must(b.rdb.LPush(t.Context(), q.keys.Pending, "no json either").Err())
		if got, err := q.ReceiveMany(t.Context(), 5, 0); !errors.Is(err, errLost) {
			t.Errorf("got %v, %v", got, err)
		}
		got, err := q.ReceiveMany(t.Context(), 5, 0)
		b.must(err)
		b.want("received", got, "1", "2")
	})
}
