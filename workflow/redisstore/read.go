package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/workflow"
)

// History reads a PRP's history.
func (s *Store) History(ctx context.Context, id string) ([]workflow.Entry, error) {
	lines, err := s.rdb.LRange(ctx, s.historyKey(id), 0, -1).Result()
	if err != nil {
		return nil, failure("history", id, err)
	}
	entries := make([]workflow.Entry, len(lines))
	for i, line := range lines {
		stamp, text, _ := strings.Cut(line, " ")
		at, err := strconv.ParseInt(stamp, 10, 64)
		if err == nil {
			err = json.Unmarshal([]byte(text), &entries[i])
		}
		if err != nil {
			return nil, fmt.Errorf("redisstore: history %s: entry %d is damaged: %w", id, i, err)
		}
		entries[i].At = micros(at)
	}
	return entries, nil
}

// List reads all records, the oldest first.
func (s *Store) List(ctx context.Context) ([]workflow.Record, error) {
	answers, err := perPartition(ctx, s, func(pipe redis.Pipeliner, p int) *redis.StringSliceCmd {
		return pipe.ZRange(ctx, indexKey(p), 0, -1)
	})
	if err != nil {
		return nil, failure("list", "", err)
	}
	var ids []string
	for _, a := range answers {
		ids = append(ids, a.Val()...)
	}
	recs, err := s.LoadMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	recs = slices.DeleteFunc(recs, func(r workflow.Record) bool { return r.ID == "" })
	slices.SortStableFunc(recs, func(a, b workflow.Record) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return recs, nil
}

// Counts gives PRPs by state and transitions by event.
func (s *Store) Counts(ctx context.Context) (states, events map[string]int64, err error) {
	pipe := s.rdb.Pipeline()
	var byState, byEvent []*redis.MapStringStringCmd
	for p := range s.cfg.Partitions {
		byState = append(byState, pipe.HGetAll(ctx, statesKey(p)))
		byEvent = append(byEvent, pipe.HGetAll(ctx, eventsKey(p)))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, nil, failure("counts", "", err)
	}
	return sum(byState), sum(byEvent), nil
}

func sum(answers []*redis.MapStringStringCmd) map[string]int64 {
	total := map[string]int64{}
	for _, a := range answers {
		for name, text := range a.Val() {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				total[name] += n
			}
		}
	}
	return total
}

// Due lists PRPs whose next look has come.
func (s *Store) Due(ctx context.Context, limit int) ([]string, error) {
	now, err := s.rdb.Time(ctx).Result()
	if err != nil {
		return nil, failure("due", "", err)
	}
	answers, err := perPartition(ctx, s, func(pipe redis.Pipeliner, p int) *redis.StringSliceCmd {
		return pipe.ZRangeByScore(ctx, dueKey(p), &redis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(now.UnixMilli(), 10), Count: int64(limit)})
	})
	if err != nil {
		return nil, failure("due", "", err)
	}
	return gather(answers, limit), nil
}

// Held lists what an incarnation holds.
func (s *Store) Held(ctx context.Context, incarnation string) ([]string, error) {
	answers, err := perPartition(ctx, s, func(pipe redis.Pipeliner, p int) *redis.StringSliceCmd {
		return pipe.SMembers(ctx, heldKey(p, incarnation))
	})
	if err != nil {
		return nil, failure("held", incarnation, err)
	}
	return gather(answers, 0), nil
}

// perPartition asks every partition the same, in one go.
func perPartition[C redis.Cmder](ctx context.Context, s *Store, ask func(pipe redis.Pipeliner, p int) C) ([]C, error) {
	pipe := s.rdb.Pipeline()
	answers := make([]C, s.cfg.Partitions)
	for p := range answers {
		answers[p] = ask(pipe, p)
	}
	_, err := pipe.Exec(ctx)
	return answers, err
}

func gather(answers []*redis.StringSliceCmd, limit int) []string {
	var all []string
	for _, a := range answers {
		all = append(all, a.Val()...)
	}
	if limit > 0 && len(all) > limit {
		all = all[:limit]
	}
	return all
}

// DeadLetters lists the jobs that were given up, the oldest first.
func (s *Store) DeadLetters(ctx context.Context) ([]workflow.DeadLetter, error) {
	answers, err := perPartition(ctx, s, func(pipe redis.Pipeliner, p int) *redis.MapStringStringCmd {
		return pipe.HGetAll(ctx, deadKey(p))
	})
	if err != nil {
		return nil, failure("dead letters", "", err)
	}
	dead := []workflow.DeadLetter{}
	for _, a := range answers {
		for id, text := range a.Val() {
			var d workflow.DeadLetter
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				return nil, fmt.Errorf("redisstore: dead letter %s is damaged: %w", id, err)
			}
			dead = append(dead, d)
		}
	}
	slices.SortFunc(dead, func(a, b workflow.DeadLetter) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return dead, nil
}

// AddDependant notes that id waits for dep.
func (s *Store) AddDependant(ctx context.Context, dep, id string) error {
	return failure("add dependant", id, s.rdb.ZAdd(ctx, s.dependantsKey(dep), redis.Z{Member: id}).Err())
}

// Dependants lists who waits for dep, after the given one.
func (s *Store) Dependants(ctx context.Context, dep, after string, limit int) ([]string, error) {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	ids, err := s.rdb.ZRangeByLex(ctx, s.dependantsKey(dep), &redis.ZRangeBy{Min: from, Max: "+", Count: int64(limit)}).Result()
	return ids, failure("dependants", dep, err)
}

// AcquireLease makes the member owner of the lease or lets it wait.
func (s *Store) AcquireLease(ctx context.Context, lease, member string) (string, error) {
	owner, err := s.acquire.Run(ctx, s.rdb, []string{leaseKey(lease)}, member).Text()
	return owner, failure("acquire", lease, err)
}

// ReleaseLease takes the member off the lease.
func (s *Store) ReleaseLease(ctx context.Context, lease, member string) (string, error) {
	owner, err := s.release.Run(ctx, s.rdb, []string{leaseKey(lease)}, member).Text()
	return owner, failure("release", lease, err)
}

// Lead makes who the one sweeper.
func (s *Store) Lead(ctx context.Context, who string, ttl time.Duration) (bool, error) {
	n, err := s.lead.Run(ctx, s.rdb, []string{leaderKey}, who, millis(ttl)).Int()
	return n == 1, failure("lead", who, err)
}

// PutLog keeps what a run has printed.
func (s *Store) PutLog(ctx context.Context, prp string, log workflow.RunLog) error {
	b, err := json.Marshal(log)
	if err != nil {
		return fmt.Errorf("redisstore: log of %s: %w", prp, err)
	}
	return failure("log", prp, s.rdb.HSet(ctx, s.logsKey(prp), log.Run, b).Err())
}

// Logs lists what runs have printed, in the order of their runs.
func (s *Store) Logs(ctx context.Context, prp string) ([]workflow.RunLog, error) {
	all, err := s.rdb.HGetAll(ctx, s.logsKey(prp)).Result()
	if err != nil {
		return nil, failure("logs", prp, err)
	}
	logs := make([]workflow.RunLog, 0, len(all))
	for run, text := range all {
		var l workflow.RunLog
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			return nil, fmt.Errorf("redisstore: log of %s, run %s is damaged: %w", prp, run, err)
		}
		logs = append(logs, l)
	}
	slices.SortFunc(logs, func(a, b workflow.RunLog) int {
		if c := a.Started.Compare(b.Started); c != 0 {
			return c
		}
		return strings.Compare(a.Run, b.Run)
	})
	return logs, nil
}

// PutDocument keeps a document under its hash.
func (s *Store) PutDocument(ctx context.Context, sha string, text []byte) error {
	return failure("document", sha, s.rdb.SetNX(ctx, documentKey(sha), text, 0).Err())
}

// Document reads a document by its hash.
func (s *Store) Document(ctx context.Context, sha string) ([]byte, error) {
	b, err := s.rdb.Get(ctx, documentKey(sha)).Bytes()
	return b, failure("document", sha, err)
}

// PutLifecycle keeps a lifecycle under its hash.
func (s *Store) PutLifecycle(ctx context.Context, hash string, source []byte) error {
	return failure("lifecycle", hash, s.rdb.SetNX(ctx, lifecycleKey(hash), source, 0).Err())
}

// Lifecycle reads a lifecycle by its hash.
func (s *Store) Lifecycle(ctx context.Context, hash string) ([]byte, error) {
	b, err := s.rdb.Get(ctx, lifecycleKey(hash)).Bytes()
	return b, failure("lifecycle", hash, err)
}

// UseLifecycle changes the active lifecycle.
func (s *Store) UseLifecycle(ctx context.Context, hash string) error {
	return failure("use lifecycle", hash, s.rdb.HSet(ctx, metaKey, "lifecycle", hash).Err())
}

// Meta reads the store's identity, writing it first on an empty store.
func (s *Store) Meta(ctx context.Context, ifEmpty workflow.Meta) (workflow.Meta, error) {
	if ifEmpty.Partitions == 0 {
		ifEmpty.Partitions = s.cfg.Partitions
	}
	f, err := s.meta.Run(ctx, s.rdb, []string{metaKey}, ifEmpty.Schema, ifEmpty.StoreID, ifEmpty.Partitions, ifEmpty.Lifecycle).StringSlice()
	if err != nil {
		return workflow.Meta{}, failure("meta", "", err)
	}
	if len(f) != 4 {
		return workflow.Meta{}, fmt.Errorf("redisstore: %s is damaged: %q", metaKey, f)
	}
	schema, serr := strconv.Atoi(f[0])
	partitions, perr := strconv.Atoi(f[2])
	if err := errors.Join(serr, perr); err != nil {
		return workflow.Meta{}, fmt.Errorf("redisstore: %s is damaged: %w", metaKey, err)
	}
	m := workflow.Meta{Schema: schema, StoreID: f[1], Partitions: partitions, Lifecycle: f[3]}
	if partitions != s.cfg.Partitions {
		return m, fmt.Errorf("redisstore: the store has %d partitions, this program was told %d: they cannot be changed", partitions, s.cfg.Partitions)
	}
	if schema > workflow.SchemaVersion {
		return m, fmt.Errorf("redisstore: the store was written by a newer prpflow (schema %d, this one reads %d): upgrade this program", schema, workflow.SchemaVersion)
	}
	return m, nil
}
