package redisstore

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// DeadLetters lists the jobs that were given up, the oldest first. Those whose
// time is over are shown no more; the next burial in their partition clears them.
func (s *Store) DeadLetters(ctx context.Context) ([]workflow.DeadLetter, error) {
	pipe := s.rdb.Pipeline()
	clock := pipe.Time(ctx)
	letters, times := make([]*redis.MapStringStringCmd, s.cfg.Partitions), make([]*redis.ZSliceCmd, s.cfg.Partitions)
	for p := range letters {
		times[p] = pipe.ZRangeWithScores(ctx, deadTimesKey(p), 0, -1)
		letters[p] = pipe.HGetAll(ctx, deadKey(p))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, failure("dead letters", "", err)
	}
	oldest := float64(clock.Val().Add(-deadKept).UnixMilli())
	dead := []workflow.DeadLetter{}
	for p := range letters {
		for _, z := range times[p].Val() {
			text, there := letters[p].Val()[member(z)]
			if z.Score <= oldest || !there {
				continue
			}
			var d workflow.DeadLetter
			if err := json.Unmarshal([]byte(text), &d); err != nil { // it hides no other one
				d = workflow.DeadLetter{ID: member(z), Cause: workflow.CauseDamaged, Reason: "this dead letter is damaged: " + err.Error()}
				d.PRP, _, _ = tasks.ParseJobID(d.ID)
			}
			dead = append(dead, d)
		}
	}
	slices.SortFunc(dead, func(a, b workflow.DeadLetter) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID))
	})
	return dead, nil
}

// DeadLetter finds the letter of a job, whose id names its PRP.
func (s *Store) DeadLetter(ctx context.Context, id string) (workflow.DeadLetter, error) {
	var d workflow.DeadLetter
	prp, _, err := tasks.ParseJobID(id)
	if err != nil {
		return d, fmt.Errorf("redisstore: dead letter %s: %w: %w", id, workflow.ErrNotFound, err)
	}
	p := s.partition(prp)
	pipe := s.rdb.Pipeline()
	clock, buried, letter := pipe.Time(ctx), pipe.ZScore(ctx, deadTimesKey(p), id), pipe.HGet(ctx, deadKey(p), id)
	_, _ = pipe.Exec(ctx) // each command has its own error
	switch err := cmp.Or(clock.Err(), buried.Err(), letter.Err()); {
	case errors.Is(err, redis.Nil) || err == nil && buried.Val() <= float64(clock.Val().Add(-deadKept).UnixMilli()):
		return d, fmt.Errorf("redisstore: dead letter %s: %w", id, workflow.ErrNotFound)
	case err != nil:
		return d, failure("dead letter", id, err)
	}
	if err := json.Unmarshal([]byte(letter.Val()), &d); err != nil {
		return d, fmt.Errorf("redisstore: dead letter %s is damaged: %w", id, err)
	}
	return d, nil
}
