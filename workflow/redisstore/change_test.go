package redisstore

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

func TestEachChangeIsAnnouncedOnce(t *testing.T) {
	each(t, func(b *bench) {
		ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
		defer cancel()
		sub := b.rdb.Subscribe(b.Context(), EventsChannel)
		defer sub.Close()
		_, err := sub.Receive(b.Context())
		b.must(err)
		c := creation()
		rec := b.apply(c)
		b.apply(c) // again: nothing has changed
		stale := c
		stale.Token = "another"
		if _, err := b.Apply(b.Context(), stale); !errors.Is(err, workflow.ErrExists) {
			b.Errorf("error %v", err)
		}
		b.apply(move(rec))
		var got []string
		for len(got) == 0 || !strings.HasSuffix(got[len(got)-1], " 2") {
			m, err := sub.ReceiveMessage(ctx)
			b.must(err)
			if strings.HasPrefix(m.Payload, rec.ID+" ") {
				got = append(got, m.Payload)
			}
		}
		if want := rec.ID + " 1," + rec.ID + " 2"; strings.Join(got, ",") != want {
			b.Errorf("announced %v, want %s", got, want)
		}
	})
}

func TestAChangeThatCouldNeverBeFoundIsRefused(t *testing.T) {
	b := mini(t)
	for want, spoil := range map[string]func(c *workflow.Change){
		"has no id":              func(c *workflow.Change) { c.Record.ID, c.Outbox = "", nil },
		"without a token":        func(c *workflow.Change) { c.Token = "" },
		"no version -1":          func(c *workflow.Change) { c.SeenVersion = -1 },
		"used for no event":      func(c *workflow.Change) { c.Request = "r" },
		`belongs to "another"`:   func(c *workflow.Change) { c.Outbox[0].PRP = "another" },
		"not a message":          func(c *workflow.Change) { c.Outbox[0].ID = "" },
		"unsupported type: chan": func(c *workflow.Change) { c.History[0].Evidence = map[string]any{"c": make(chan int)} },
	} {
		c := creation("e")
		spoil(&c)
		_, err := b.Apply(b.Context(), c)
		if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, workflow.ErrUnavailable) {
			b.Errorf("error %v, want %q", err, want)
		}
	}
	if keys := b.rdb.Keys(b.Context(), "*").Val(); len(keys) != 0 {
		b.Errorf("written: %v", keys)
	}
}

// What is only there for repetitions and readers does not grow for ever.
func TestBookkeepingIsBounded(t *testing.T) {
	t.Parallel()
	rdb, advance := clocked(t)
	b := newBench(t, rdb)
	c := creation("e")
	c.Record.ID, c.Outbox[0].PRP = "PRP-1", "PRP-1"
	c.Bury = []workflow.DeadLetter{{ID: "d1", PRP: "PRP-1"}, {ID: "d2", PRP: "PRP-1"}}
	c.Request, c.Event = "r", "submit"
	rec := b.apply(c)
	for range 40 {
		rec = b.apply(move(rec))
	}
	if n := b.rdb.HLen(b.Context(), b.key(b.recordKey("PRP-1"))).Val(); n != int64(len(fields)+16) {
		b.Errorf("the record has %d fields", n)
	}
	ttl := b.rdb.PTTL(b.Context(), b.key(b.requestKey("PRP-1", "r"))).Val()
	if ttl != requestsKept {
		b.Errorf("the request id is kept for %v", ttl)
	}
	p := b.partition("PRP-1")
	dead := func() [2]int64 {
		return [2]int64{b.rdb.HLen(b.Context(), deadKey(p)).Val(), b.rdb.ZCard(b.Context(), deadTimesKey(p)).Val()}
	}
	advance(deadKept)
	rec = b.apply(move(rec))
	if got := dead(); got != [2]int64{2, 2} {
		b.Errorf("dead letters %v", got)
	}
	c = move(rec)
	c.Bury = []workflow.DeadLetter{{ID: "d3", PRP: "PRP-1"}}
	rec = b.apply(c)
	if got := dead(); got != [2]int64{1, 1} {
		b.Errorf("after the next died: %v", got)
	}
	c = move(rec)
	c.Raise = []string{"d3"}
	b.apply(c)
	if got := dead(); got != [2]int64{0, 0} {
		b.Errorf("after it was raised: %v", got)
	}
}

func TestADurationIsNeverRoundedToNone(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "0", time.Nanosecond: "1", time.Millisecond: "1", 1500 * time.Microsecond: "1", time.Second: "1000", -time.Second: "0"} {
		if got := millis(d); got != want {
			t.Errorf("%v is %s ms, want %s", d, got, want)
		}
	}
}

func TestAnUnexpectedAnswerIsAnError(t *testing.T) {
	t.Parallel()
	for _, answer := range [][]any{nil, {"1"}, {int64(1)}, {int64(1), "1", "x", "2"}, {int64(1), "1", int64(2), "2"}, {int64(7), "1", "1", "1"}} {
		if err := applied(&workflow.Record{}, answer); err == nil {
			t.Errorf("%v was taken", answer)
		}
	}
}
