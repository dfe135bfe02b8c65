package broker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/tasks"
)

// TaskState says where in Asynq a task is.
type TaskState = tasks.TaskState

// The states of a task. A task that is done or forgotten is absent.
const (
	Absent    = tasks.Absent
	Pending   = tasks.Pending
	Active    = tasks.Active
	Scheduled = tasks.Scheduled
	Retry     = tasks.Retrying
	Archived  = tasks.Archived
)

// pipelineSize bounds how many tasks one pipeline asks about.
const pipelineSize = 1000

// States says where the tasks of jobs are, in the order of the jobs. A queue
// that does not exist holds nothing, and neither does a name that no queue or
// task can have. A task whose message is gone is absent, whatever lists still
// name it: no server will ever run it.
func (b *Broker) States(ctx context.Context, jobs []tasks.JobRef) ([]TaskState, error) {
	states := make([]TaskState, 0, len(jobs))
	for chunk := range slices.Chunk(jobs, pipelineSize) {
		fields := make([]*redis.SliceCmd, len(chunk))
		_, err := b.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, j := range chunk {
				if checkTask(j.Queue, j.Job) == nil {
					fields[i] = p.HMGet(ctx, taskKey(j.Queue, j.Job), "state", "msg")
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("broker: states of %d tasks: %w", len(jobs), err)
		}
		for _, f := range fields {
			states = append(states, stateOf(f))
		}
	}
	return states, nil
}

// stateOf reads the state and the message of a task's hash; nil is no hash.
func stateOf(hash *redis.SliceCmd) TaskState {
	if hash == nil || len(hash.Val()) != 2 || hash.Val()[1] == nil {
		return Absent
	}
	name, _ := hash.Val()[0].(string)
	switch s := TaskState(name); s {
	case Pending, Active, Scheduled, Retry, Archived:
		return s
	}
	return Absent
}

// List gives the ids of a queue's tasks in a state, from the one at offset on,
// which counts from 0: pending ones in the order in which they are handed out,
// active ones in the order of the queue, the others by their time, the earliest
// first. limit bounds the answer, 0 does not. Tasks that come and go between
// two calls shift the others.
func (b *Broker) List(ctx context.Context, queue string, in TaskState, offset, limit int) ([]string, error) {
	if err := checkQueue(queue); err != nil {
		return nil, fmt.Errorf("broker: list: %w", err)
	}
	key := stateKey(queue, in)
	first := int64(max(offset, 0))
	last := int64(-1) // the end of the list
	if limit > 0 && first <= math.MaxInt64-int64(limit) {
		last = first + int64(limit) - 1
	}
	var ids []string
	var err error
	switch in {
	case Pending: // pushed at the left, taken from the right: -1 is the first
		left := int64(0)
		if last >= 0 {
			left = -1 - last
		}
		ids, err = b.rdb.LRange(ctx, key, left, -1-first).Result()
		slices.Reverse(ids)
	case Active:
		ids, err = b.rdb.LRange(ctx, key, first, last).Result()
	case Scheduled, Retry, Archived:
		ids, err = b.rdb.ZRange(ctx, key, first, last).Result()
	default:
		return nil, fmt.Errorf("broker: list %s: no list holds tasks that are %q", queue, in)
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("broker: list %s of %s: %w", in, queue, err)
	}
	return ids, nil
}
