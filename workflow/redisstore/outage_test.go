package redisstore

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/workflow"
)

// far is a store behind a wire to a server, and its bench on the server itself.
func far(t *testing.T) (b *bench, s *Store, wire *redistest.Wire) {
	t.Helper()
	server := redistest.Server(t)
	wire = redistest.NewWire(t, server.Addr)
	rdb := redis.NewClient(&redis.Options{Addr: wire.Addr, ReadTimeout: 1500 * time.Millisecond, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { _ = rdb.Close() })
	return newBench(t, server.Client()), open(t, rdb, Config{Worker: "host:1:far", Lease: time.Minute}), wire
}

// outage cuts the wire for four seconds, in which the process goes on asking.
func outage(ctx context.Context, s *Store, wire *redistest.Wire) {
	wire.Cut()
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); {
		_, _ = s.Mine(ctx)
		_, _, _ = s.Receive(ctx, 50*time.Millisecond)
	}
	wire.Mend()
}

// sent takes what a relay would send until an entry is among it.
func sent(t *testing.T, s *Store, e workflow.OutboxEntry) {
	t.Helper()
	for start := time.Now(); ; {
		got, _, _ := s.Receive(t.Context(), 100*time.Millisecond)
		mine, _ := s.Mine(t.Context())
		if got.ID == e.ID || slices.ContainsFunc(mine, func(m workflow.OutboxEntry) bool { return m.ID == e.ID }) {
			return
		}
		if time.Since(start) > 10*time.Second {
			t.Fatal("ten seconds after the network was back it was not sent")
		}
	}
}

// waits tells of each BLMOVE in a pipeline.
type waits struct {
	hooked
	told chan struct{}
}

func (w waits) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (w waits) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if slices.ContainsFunc(cmds, func(c redis.Cmder) bool { return c.Name() == "blmove" }) {
			w.told <- struct{}{}
		}
		return next(ctx, cmds)
	}
}

// A relay loses the answer of its BLMOVE. Its renewals must not keep the entry.
func TestAnEntryThatWasTakenAndNotReceivedIsSentAfterAnOutage(t *testing.T) {
	t.Parallel()
	b, s, wire := far(t)
	blocked := make(chan struct{}, 10000)
	s.rdb.AddHook(waits{hooked{}, blocked})
	if _, ok, err := s.Receive(t.Context(), 10*time.Millisecond); ok || err != nil {
		t.Fatal(ok, err)
	}
	for range s.outboxes {
		<-blocked
	}
	wire.Deafen()
	c := creation("e")
	if _, err := open(t, b.rdb, Config{}).Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	p := b.partition(c.Record.ID)
	taken := b.key(s.keys[p].Taken(s.cfg.Worker))
	for b.rdb.LLen(t.Context(), taken).Val() != 1 {
		time.Sleep(time.Millisecond)
	}
	outage(t.Context(), s, wire)
	sent(t, s, c.Outbox[0])
}

// A process commits, loses the answer, and gives up on it.
func TestAnEntryOfAChangeWithoutAnAnswerIsSentAfterAnOutage(t *testing.T) {
	t.Parallel()
	b, s, wire := far(t)
	if _, err := s.Apply(t.Context(), creation()); err != nil { // so that Redis knows the script
		t.Fatal(err)
	}
	wire.Deafen()
	c := creation("e")
	gone := make(chan error, 1)
	go func() {
		_, err := s.Apply(t.Context(), c)
		gone <- err
	}()
	p := b.partition(c.Record.ID)
	hand := b.key(s.keys[p].Hand(s.cfg.Worker))
	for b.rdb.ZCard(t.Context(), hand).Val() != 1 {
		select {
		case err := <-gone:
			t.Fatal(err)
		case <-time.After(time.Millisecond):
		}
	}
	outage(t.Context(), s, wire)
	if err := <-gone; err == nil {
		t.Error("the answer was not lost")
	}
	s.forget(p, c.Outbox) // as after looks that came before the change did
	sent(t, s, c.Outbox[0])
}
