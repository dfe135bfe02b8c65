package redisstore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/workflow"
)

// History reads a PRP's history.
func (s *Store) History(ctx context.Context, id string) ([]workflow.Entry, error) {
	key, err := s.historyKey(id)
	if err != nil {
		return nil, failure("history", id, err)
	}
	lines, err := s.rdb.LRange(ctx, key, 0, -1).Result()
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
func (s *Store) List(ctx context.Context) ([]workflow.Loaded, error) {
	answers, err := perPartition(ctx, s, func(pipe redis.Pipeliner, p int) *redis.StringSliceCmd {
		return pipe.SMembers(ctx, indexKey(p))
	})
	if err != nil {
		return nil, failure("list", "", err)
	}
	var ids []string
	for _, a := range answers {
		ids = append(ids, a.Val()...)
	}
	recs, _, err := s.LoadMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	recs = slices.DeleteFunc(recs, func(r workflow.Loaded) bool { return r.ID == "" })
	slices.SortFunc(recs, func(a, b workflow.Loaded) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
	})
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

// sum adds up counters. Only scripts write them: what is no number is none of ours.
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

// Due lists PRPs whose next look has come, the longest due first: whatever the
// limit, no partition waits for another one.
func (s *Store) Due(ctx context.Context, limit int) ([]string, error) {
	now, err := s.rdb.Time(ctx).Result()
	if err != nil {
		return nil, failure("due", "", err)
	}
	until := strconv.FormatInt(now.UnixMilli(), 10)
	answers, err := perPartition(ctx, s, func(pipe redis.Pipeliner, p int) *redis.ZSliceCmd {
		return pipe.ZRangeByScoreWithScores(ctx, dueKey(p), &redis.ZRangeBy{Min: "-inf", Max: until, Count: int64(limit)})
	})
	if err != nil {
		return nil, failure("due", "", err)
	}
	var due []redis.Z
	for _, a := range answers {
		due = append(due, a.Val()...)
	}
	slices.SortFunc(due, func(a, b redis.Z) int {
		return cmp.Or(cmp.Compare(a.Score, b.Score), strings.Compare(member(a), member(b)))
	})
	if limit > 0 && len(due) > limit {
		due = due[:limit]
	}
	ids := make([]string, len(due))
	for i, z := range due {
		ids[i] = member(z)
	}
	return ids, nil
}

func member(z redis.Z) string {
	text, _ := z.Member.(string)
	return text
}

// Held lists what an incarnation holds.
func (s *Store) Held(ctx context.Context, incarnation string) ([]string, error) {
	if _, err := heldKey(0, incarnation); err != nil {
		return nil, failure("held", incarnation, err)
	}
	answers, err := perPartition(ctx, s, func(pipe redis.Pipeliner, p int) *redis.StringSliceCmd {
		key, _ := heldKey(p, incarnation) // refused above
		return pipe.SMembers(ctx, key)
	})
	if err != nil {
		return nil, failure("held", incarnation, err)
	}
	var ids []string
	for _, a := range answers {
		ids = append(ids, a.Val()...)
	}
	slices.Sort(ids)
	return ids, nil
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

// AddDependant notes that id waits for dep.
func (s *Store) AddDependant(ctx context.Context, dep, id string) error {
	key, err := s.dependantsKey(dep)
	if id == "" {
		err = errEmpty
	}
	if err != nil {
		return failure("add dependant", id, err)
	}
	return failure("add dependant", id, s.rdb.ZAdd(ctx, key, redis.Z{Member: id}).Err())
}

// Dependants lists who waits for dep, after the given one.
func (s *Store) Dependants(ctx context.Context, dep, after string, limit int) ([]string, error) {
	key, err := s.dependantsKey(dep)
	if err != nil {
		return nil, failure("dependants", dep, err)
	}
	from := "-"
	if after != "" {
		from = "(" + after
	}
	ids, err := s.rdb.ZRangeByLex(ctx, key, &redis.ZRangeBy{Min: from, Max: "+", Count: int64(limit)}).Result()
	return ids, failure("dependants", dep, err)
}
