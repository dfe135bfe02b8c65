package redisstore

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/reliable"
	"github.com/prpflow/prpflow/workflow"
)

// poison is what lies in an outbox and is no entry of its partition.
func poison(b *bench, id string) []reliable.Message {
	other := id
	for b.partition(other) == b.partition(id) {
		other = redistest.Name("PRP")
	}
	return []reliable.Message{
		{ID: redistest.Name("text"), Body: []byte("no JSON")},
		{ID: redistest.Name("bytes"), Body: []byte{0xff, 0}},
		{ID: redistest.Name("array"), Body: []byte(`["PRP"]`)},
		{ID: redistest.Name("nobody"), Body: []byte(`{"kind":"look"}`)},
		{ID: redistest.Name("foreign"), Body: fmt.Appendf(nil, `{"kind":"look","prp":%q}`, other)},
	}
}

// put puts a message into this process' hand.
func (b *bench) put(p int, id, raw string, place float64) {
	b.Helper()
	b.must(b.rdb.HSet(b.Context(), b.keys[p].Messages, id, raw).Err())
	b.must(b.rdb.ZAdd(b.Context(), b.key(b.keys[p].Hand(b.cfg.Worker)), redis.Z{Score: place, Member: id}).Err())
}

func (b *bench) wantDead(messages []reliable.Message) {
	b.Helper()
	dead, err := b.OutboxDead(b.Context())
	b.must(err)
	for _, m := range messages {
		i := slices.IndexFunc(dead, func(d reliable.DeadMessage) bool { return d.ID == m.ID })
		if i < 0 {
			b.Errorf("%s is not among the dead letters", m.ID)
			continue
		}
		d := dead[i]
		if raw, err := reliable.Decode(d.Raw); err != nil || string(raw.Body) != string(m.Body) || d.Worker != b.cfg.Worker ||
			!strings.Contains(d.Reason, m.ID) || time.Since(d.At).Abs() > time.Hour {
			b.Errorf("dead letter %+v, %v", d, err)
		}
	}
}

func TestWhatIsNoEntryStopsNobodyWhoReceives(t *testing.T) {
	alone(t, func(b *bench) {
		c := creation("e")
		p := b.partition(c.Record.ID)
		bad := poison(b, c.Record.ID)
		_, err := b.outboxes[p].Push(b.Context(), bad...)
		b.must(err)
		_, err = open(b.T, b.rdb, Config{}).Apply(b.Context(), c)
		b.must(err)
		if e := b.receive(c.Record.ID); e.ID != c.Outbox[0].ID {
			b.Errorf("received %v", e)
		}
		b.wantDead(bad)
		if ids := b.mineIDs(); !slices.Contains(ids, c.Outbox[0].ID) {
			b.Errorf("in hand: %v", ids)
		}
	})
}

func TestWhatIsNoEntryStopsNobodyWhoLooksAtItsOwn(t *testing.T) {
	each(t, func(b *bench) {
		c := creation("a", "b")
		p := b.partition(c.Record.ID)
		bad := poison(b, c.Record.ID)
		hand := b.key(b.keys[p].Hand(b.cfg.Worker))
		for i, m := range bad {
			raw, err := reliable.Encode(m)
			b.must(err)
			b.put(p, m.ID, string(raw), float64(i))
		}
		b.put(p, redistest.Name("none"), "no message", float64(len(bad)))
		b.apply(c)
		for range 2 {
			if ids := b.mineIDs(); !slices.Equal(ids, []string{c.Outbox[0].ID, c.Outbox[1].ID}) {
				b.Errorf("in hand: %v", ids)
			}
		}
		b.wantDead(bad)
		if n := b.rdb.ZCard(b.Context(), hand).Val(); n != 2 {
			b.Errorf("%d elements lie in the list", n)
		}
	})
}

// A repeated call, or one that lost a race, finds nothing and adds no letter.
func TestWhatIsNotThereIsNotPutAside(t *testing.T) {
	b := mini(t)
	b.must(b.quarantine(b.Context(), 0, reliable.Message{ID: "gone"}, errors.New("why")))
	if dead, err := b.OutboxDead(b.Context()); err != nil || len(dead) != 0 {
		b.Errorf("dead letters %v, %v", dead, err)
	}
}

func TestOnlyTheNamedMessageIsPutAside(t *testing.T) {
	each(t, func(b *bench) {
		id, keep := redistest.Name("bad"), redistest.Name("keep")
		bad := fmt.Sprintf(`{"id":%q,"body":"x"}`, id)
		b.put(0, keep, "7", 1)
		b.put(0, id, bad, 2)
		b.must(b.quarantine(b.Context(), 0, reliable.Message{ID: id, Attempt: 3}, errors.New("why")))
		hand := b.key(b.keys[0].Hand(b.cfg.Worker))
		if left := b.rdb.ZRange(b.Context(), hand, 0, -1).Val(); !slices.Equal(left, []string{keep}) {
			b.Errorf("left %v", left)
		}
		if kept := b.rdb.HMGet(b.Context(), b.keys[0].Messages, id, keep).Val(); kept[0] != bad || kept[1] != "7" {
			b.Errorf("kept %v", kept)
		}
		prp := "a"
		for b.partition(prp) != 0 {
			prp += "a"
		}
		unsent, err := b.Unsent(b.Context(), []workflow.OutboxRef{{PRP: prp, ID: id}, {PRP: prp, ID: keep}})
		b.must(err)
		if unsent[0] || !unsent[1] {
			b.Errorf("still to be sent: %v", unsent)
		}
		dead, err := b.OutboxDead(b.Context())
		b.must(err)
		dead = slices.DeleteFunc(dead, func(d reliable.DeadMessage) bool { return d.ID != id })
		if len(dead) != 1 || dead[0].Attempts != 1 || dead[0].Reason != "why" || string(dead[0].Raw) != bad {
			b.Errorf("dead letters %+v", dead)
		}
	})
}

// A process may be given entries that it no longer expects: a change that was
// given up and reached Redis late. Each renewal of its lease counts them.
func TestAnEntryThatCameLateIsFound(t *testing.T) {
	b := mini(t)
	c := creation("e")
	b.apply(c)
	p := b.partition(c.Record.ID)
	b.forget(p, c.Outbox)
	if ids := b.mineIDs(); len(ids) != 0 {
		b.Errorf("expecting nothing it has asked, and found %v", ids)
	}
	if _, err := b.outboxes[p].Receive(b.Context(), 0); !errors.Is(err, reliable.ErrEmpty) {
		b.Error(err)
	}
	for range 2 { // and again, since now it is expected
		if ids := b.mineIDs(); len(ids) != 1 {
			b.Errorf("found %v", ids)
		}
	}
}

func TestWhatNeverCameIsExpectedForOneLookMore(t *testing.T) {
	b := mini(t)
	b.expect(3, []workflow.OutboxEntry{{ID: "e"}})
	for look, want := range []bool{true, false, false} {
		b.mineIDs()
		if b.expects(3) != want {
			b.Errorf("after look %d it is expected: %v", look, !want)
		}
	}
}

func TestARefusedChangeIsNotExpected(t *testing.T) {
	b := mini(t)
	c := creation("e")
	c.SeenVersion = 4
	if _, err := b.Apply(b.Context(), c); !errors.Is(err, workflow.ErrNotFound) {
		b.Errorf("error %v", err)
	}
	if b.expects(b.partition(c.Record.ID)) {
		b.Error("it is expected")
	}
}

// Each taker is a list more to read for who asks what is still to be sent.
func TestWhoHasNothingToSendIsNoTaker(t *testing.T) {
	b := mini(t)
	p := b.partition(b.apply(creation()).ID)
	if takers := b.rdb.ZRange(b.Context(), b.keys[p].Takers, 0, -1).Val(); len(takers) != 0 {
		b.Errorf("takers: %v", takers)
	}
}

// An entry goes from list to list while somebody asks for it.
func TestAnEntryThatMovesIsUnsent(t *testing.T) {
	each(t, func(b *bench) {
		c := creation("e")
		_, err := open(b.T, b.rdb, Config{}).Apply(b.Context(), c)
		b.must(err)
		p, ref := b.partition(c.Record.ID), []workflow.OutboxRef{{PRP: c.Record.ID, ID: c.Outbox[0].ID}}
		other := open(b.T, b.rdb, Config{Worker: "host:1:" + redistest.Name("w"), Lease: patient})
		taken := b.key(other.keys[p].Taken(other.cfg.Worker))
		for range 50 {
			for _, step := range []func() error{
				func() error { return b.rdb.LMove(b.Context(), b.keys[p].Pending, taken, "RIGHT", "LEFT").Err() },
				func() error { _, err := b.Reap(b.Context(), []string{other.cfg.Worker}); return err },
			} {
				b.must(step())
				if unsent, err := b.Unsent(b.Context(), ref); err != nil || !unsent[0] {
					b.Fatalf("unsent: %v, %v", unsent, err)
				}
			}
		}
	})
}

// An older version wrote whole envelopes into the lists.
func TestAnOutboxOfAnOlderVersionIsSent(t *testing.T) {
	alone(t, func(b *bench) {
		c := creation("shared", "taken")
		p, entries := b.partition(c.Record.ID), c.Outbox
		dead := "host:1:dead"
		for i, key := range []string{b.keys[p].Pending, b.key(b.keys[p].Taken(dead))} {
			raw, err := envelope(entries[i])
			b.must(err)
			b.must(b.rdb.LPush(b.Context(), key, raw).Err())
		}
		b.must(b.rdb.ZAdd(b.Context(), b.keys[p].Takers, redis.Z{Score: 1, Member: dead}).Err())
		if n, err := b.Reap(b.Context(), nil); n != 1 || err != nil {
			b.Errorf("%d came home, %v", n, err)
		}
		for _, want := range []workflow.OutboxEntry{entries[1], entries[0]} {
			e := b.receive(c.Record.ID)
			if e.ID != want.ID || e.Kind != want.Kind {
				b.Errorf("received %+v, want %+v", e, want)
			}
			ref := []workflow.OutboxRef{{PRP: e.PRP, ID: e.ID}}
			if unsent, err := b.Unsent(b.Context(), ref); err != nil || !unsent[0] {
				b.Errorf("unsent: %v, %v", unsent, err)
			}
			b.must(b.Ack(b.Context(), e))
			if unsent, err := b.Unsent(b.Context(), ref); err != nil || unsent[0] {
				b.Errorf("it was sent, and is unsent: %v, %v", unsent, err)
			}
		}
	})
}

func TestASuccessorBelongsToThePRPOfWhatItFollows(t *testing.T) {
	b := mini(t)
	c := creation("e")
	b.apply(c)
	next := c.Outbox[0]
	next.PRP = "another"
	if err := b.Requeue(b.Context(), c.Outbox[0], next); err == nil {
		b.Error("it was taken")
	}
	if ids := b.mineIDs(); len(ids) != 1 {
		b.Errorf("in hand: %v", ids)
	}
}

func TestLagIsTheAgeOfTheOldestSharedEntry(t *testing.T) {
	b := mini(t)
	if lag, err := b.OutboxLag(b.Context()); lag != 0 || err != nil {
		b.Errorf("nothing waits, the lag is %v, %v", lag, err)
	}
	for _, age := range []time.Duration{time.Hour, 2 * time.Hour, time.Minute} {
		_, err := b.outboxes[b.partition(age.String())].Push(b.Context(), reliable.Message{At: time.Now().Add(-age), Body: []byte("x")})
		b.must(err)
	}
	if lag, err := b.OutboxLag(b.Context()); err != nil || lag < 2*time.Hour || lag > 3*time.Hour {
		b.Errorf("the lag is %v, %v", lag, err)
	}
}

func TestCloseEndsWhoReceives(t *testing.T) {
	alone(t, func(b *bench) {
		ended := make(chan error)
		go func() {
			for {
				if _, _, err := b.Receive(b.Context(), time.Hour); err != nil {
					ended <- err
					return
				}
			}
		}()
		b.Close()
		b.Close()
		if err := <-ended; !errors.Is(err, errClosed) && !errors.Is(err, workflow.ErrUnavailable) {
			b.Errorf("error %v", err)
		}
		b.apply(creation()) // the rest still works
	})
}

func TestAStoreThatWasClosedFirstReceivesNothing(t *testing.T) {
	b := mini(t)
	b.Close()
	if _, ok, err := b.Receive(b.Context(), time.Hour); ok || !errors.Is(err, errClosed) {
		b.Errorf("received %v, %v", ok, err)
	}
}
