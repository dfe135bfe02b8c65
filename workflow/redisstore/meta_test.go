package redisstore

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

func TestAStoreOfAnotherKindIsRefusedInASentence(t *testing.T) {
	b := mini(t)
	ctx := b.Context()
	refused := func(s *Store, ifEmpty workflow.Meta, want string) {
		b.Helper()
		if _, err := s.Meta(ctx, ifEmpty); err == nil || err.Error() != want || errors.Is(err, workflow.ErrUnavailable) {
			b.Errorf("error %v, want %q", err, want)
		}
	}
	const twelve = "redisstore: the store has 8 partitions, this program was told 12: they cannot be changed"
	const newSchema = "redisstore: the store was written by a newer prpflow (schema 9, this one reads 2): upgrade this program"
	other := open(b.T, b.rdb, Config{Partitions: 12})
	refused(other, workflow.Meta{Partitions: 8}, twelve)
	refused(other, workflow.Meta{Schema: 9}, newSchema)
	if n := b.rdb.Exists(ctx, metaKey).Val(); n != 0 {
		b.Error("a foundation that does not fit was laid")
	}
	m, err := b.Meta(ctx, workflow.Meta{StoreID: "id", Lifecycle: "h"})
	b.must(err)
	if m != (workflow.Meta{Schema: workflow.SchemaVersion, StoreID: "id", Partitions: 8, Lifecycle: "h"}) {
		b.Errorf("meta %+v", m)
	}
	refused(other, workflow.Meta{}, twelve)
	b.must(b.rdb.HSet(ctx, metaKey, "schema", 9).Err())
	refused(b.Store, workflow.Meta{}, newSchema)
	refused(other, workflow.Meta{}, newSchema)
	b.must(b.rdb.HDel(ctx, metaKey, "schema").Err())
	refused(b.Store, workflow.Meta{}, `redisstore: prpflow:meta is damaged: strconv.Atoi: parsing "": invalid syntax`)
	if _, err := readMeta(nil); err == nil {
		b.Error("read from nothing")
	}
}

// only reads one record among others.
func only(b *bench, id string) workflow.Loaded {
	b.Helper()
	other := b.apply(creation())
	recs, _, err := b.LoadMany(b.Context(), []string{other.ID, id})
	b.must(err)
	if recs[0].Err != nil || recs[0].ID != other.ID {
		b.Errorf("one record that cannot be read spoils another: %v", recs[0].Err)
	}
	if recs[1].ID != id || recs[1].State != "new" {
		b.Errorf("what is known all the same is %+v", recs[1].Record)
	}
	return recs[1]
}

func TestDamageAndNewerRecordsAreToldInASentence(t *testing.T) {
	b := mini(t)
	ctx := b.Context()
	c := creation()
	c.Bury = []workflow.DeadLetter{{ID: "d"}}
	id := b.apply(c).ID
	b.must(b.PutLog(ctx, id, workflow.RunLog{Run: "r"}))
	record := b.key(b.recordKey(id))
	good := b.rdb.HGet(ctx, record, "d").Val()
	told := func(want string, reads ...func() error) {
		b.Helper()
		for _, read := range reads {
			if err := read(); err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, workflow.ErrUnavailable) || errors.Is(err, workflow.ErrNotFound) {
				b.Errorf("error %v, want %q", err, want)
			}
		}
	}
	reads := []func() error{
		func() error { _, _, err := b.Load(ctx, id); return err }, func() error { return only(b, id).Err },
		func() error {
			list, err := b.List(ctx)
			b.must(err)
			for _, l := range list {
				if l.ID == id {
					return l.Err
				}
			}
			return nil
		},
	}
	for _, d := range []struct{ field, text, want string }{
		{"d", `{"id":"x","schema":9}`, "the record was written by a newer prpflow (schema 9, this one reads 2): upgrade this program"},
		{"d", "{", "it is damaged"}, {"v", "x", "it is damaged"}, {"a", "x", "it is damaged"}, {"c", "", "it is damaged"}, {"d", `{"id":"x","schema":2}`, "it calls itself"},
	} {
		was := b.rdb.HGet(ctx, record, d.field).Val()
		b.must(b.rdb.HSet(ctx, record, d.field, d.text).Err())
		told(d.want, reads...)
		b.must(b.rdb.HSet(ctx, record, d.field, was).Err())
	}
	if b.rdb.HGet(ctx, record, "d").Val() != good {
		b.Fatal("the test has damaged the record")
	}
	b.must(b.rdb.RPush(ctx, b.key(b.historyKey(id)), "no time").Err())
	b.must(b.rdb.HSet(ctx, b.key(b.logsKey(id)), "r", "{").Err())
	b.must(b.rdb.HSet(ctx, deadKey(b.partition(id)), "d", "{").Err())
	job := tasks.NewJobID(id, 1, "x")
	b.must(b.rdb.HSet(ctx, deadKey(b.partition(id)), job, "{").Err())
	b.must(b.rdb.ZAdd(ctx, deadTimesKey(b.partition(id)), redis.Z{Score: math.Inf(1), Member: job}).Err())
	told("is damaged", func() error { _, err := b.History(ctx, id); return err }, func() error { _, err := b.Logs(ctx, id); return err },
		func() error { _, err := b.DeadLetter(ctx, job); return err })
	dead, err := b.DeadLetters(ctx)
	b.must(err)
	i := slices.IndexFunc(dead, func(d workflow.DeadLetter) bool { return d.ID == job })
	if i < 0 || dead[i].PRP != id || dead[i].Cause != workflow.CauseDamaged || !strings.Contains(dead[i].Reason, "damaged") {
		b.Errorf("damaged dead letters are listed as %+v", dead)
	}
	if _, err := json.Marshal(dead); err != nil {
		b.Errorf("damaged dead letters cannot be printed: %v", err)
	}
}

func TestAStoreNeedsAClientAndNoMore(t *testing.T) {
	t.Parallel()
	if _, err := New(nil, Config{}); err == nil {
		t.Error("made without a client")
	}
	s := open(t, redistest.Mini(t), Config{})
	if s.cfg.Partitions != 8 || s.cfg.Lease.Seconds() != 5 {
		t.Errorf("made with %+v", s.cfg)
	}
}
