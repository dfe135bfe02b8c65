package redisstore

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/workflow"
)

// dump is all that lies in a server. Not by DUMP, whose fields come in any order.
func (b *bench) dump() map[string]string {
	b.Helper()
	ctx, all := b.Context(), map[string]string{}
	for _, key := range b.rdb.Keys(ctx, "*").Val() {
		switch kind := b.rdb.Type(ctx, key).Val(); kind {
		case "hash":
			all[key] = fmt.Sprint(b.rdb.HGetAll(ctx, key).Val())
		case "list":
			all[key] = fmt.Sprint(b.rdb.LRange(ctx, key, 0, -1).Val())
		case "zset":
			all[key] = fmt.Sprint(b.rdb.ZRangeWithScores(ctx, key, 0, -1).Val())
		case "set":
			all[key] = fmt.Sprint(b.rdb.SMembersMap(ctx, key).Val())
		case "string":
			all[key] = b.rdb.Get(ctx, key).Val()
		default:
			b.Fatalf("%s is a %s", key, kind)
		}
	}
	return all
}

// Redis does not undo: a script must meet the refusal of a server that does not
// write at its first write, or half a change would stay.
func TestAServerThatDoesNotWriteIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	server := redistest.Server(t)
	b := newBench(t, once(t, server.Addr))
	for setting, values := range map[string][2]string{"maxmemory": {"1", "0"}, "min-replicas-to-write": {"1", "0"}} {
		made := creation("a")
		made.Hold, made.LookIn, made.Bury = "j", time.Hour, []workflow.DeadLetter{{ID: "x", PRP: made.Record.ID}}
		rec := b.apply(made)
		c := move(rec)
		c.Hold, c.Release, c.Request, c.Event, c.LookIn = "i", "j", "r", "e", 0
		c.Bury, c.Raise = []workflow.DeadLetter{{ID: "d", PRP: rec.ID}}, []string{"x"}
		c.Outbox = []workflow.OutboxEntry{{ID: redistest.Name("e"), Kind: workflow.SendLook, PRP: rec.ID}}
		before := b.dump()
		b.must(b.rdb.ConfigSet(t.Context(), setting, values[0]).Err())
		_, err := b.Apply(t.Context(), c)
		_, metaErr := b.Meta(t.Context(), workflow.Meta{})
		_, leaseErr := b.AcquireLease(t.Context(), "lease", "m", 1)
		for what, err := range map[string]error{
			"Apply": err, "Meta": metaErr, "AcquireLease": leaseErr, "Look": b.Look(t.Context(), rec.ID, rec.Version, time.Hour),
			"PutDocument": b.PutDocument(t.Context(), "sha", nil), "PutLog": b.PutLog(t.Context(), rec.ID, workflow.RunLog{Run: "r"}),
		} {
			if !errors.Is(err, workflow.ErrUnavailable) {
				t.Errorf("%s, %s: %v", setting, what, err)
			}
		}
		b.must(b.rdb.ConfigSet(t.Context(), setting, values[1]).Err())
		if after := b.dump(); !maps.Equal(before, after) {
			t.Errorf("%s: it has changed\n%v\ninto\n%v", setting, before, after)
		}
		if got := b.apply(c); got.Version != 2 {
			t.Errorf("%s: sent again, it answers %+v", setting, got)
		}
	}
}
