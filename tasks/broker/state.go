package broker

import (
	"context"
	"errors"
	"fmt"
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

// State says where the task of a job is. A queue that does not exist holds
// nothing. A task whose message is gone is absent, whatever lists still name
// it: no server will ever run it.
func (b *Broker) State(ctx context.Context, queue, jobID string) (TaskState, error) {
	if err := checkTask(queue, jobID); err != nil {
		return "", fmt.Errorf("broker: state: %w", err)
	}
	got, err := b.rdb.HMGet(ctx, taskKey(queue, jobID), "state", "msg").Result()
	if err != nil {
		return "", fmt.Errorf("broker: state of %s in %s: %w", jobID, queue, err)
	}
	if got[1] == nil {
		return Absent, nil
	}
	name, _ := got[0].(string)
	switch s := TaskState(name); s {
	case Pending, Active, Scheduled, Retry, Archived:
		return s, nil
	}
	return Absent, nil
}

// Pending lists the ids of the tasks that wait in a queue, the next to run
// first. limit bounds the answer, 0 does not.
func (b *Broker) Pending(ctx context.Context, queue string, limit int) ([]string, error) {
	return b.List(ctx, queue, Pending, limit)
}

// List gives the ids of a queue's tasks in a state: pending and active ones in
// the order of the queue, the others by their time, the earliest first. limit
// bounds the answer, 0 does not.
func (b *Broker) List(ctx context.Context, queue string, state TaskState, limit int) ([]string, error) {
	if err := checkQueue(queue); err != nil {
		return nil, fmt.Errorf("broker: list: %w", err)
	}
	n := int64(max(limit, 0))
	key := stateKey(queue, state)
	var ids []string
	var err error
	switch state {
	case Pending: // pushed at the left, taken from the right
		ids, err = b.rdb.LRange(ctx, key, -n, -1).Result()
		slices.Reverse(ids)
	case Active:
		ids, err = b.rdb.LRange(ctx, key, 0, n-1).Result()
	case Scheduled, Retry, Archived:
		ids, err = b.rdb.ZRange(ctx, key, 0, n-1).Result()
	default:
		return nil, fmt.Errorf("broker: list %s: no list holds tasks that are %q", queue, state)
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("broker: list %s of %s: %w", state, queue, err)
	}
	return ids, nil
}

// PausedOf says which of the queues hand out nothing.
func (b *Broker) PausedOf(ctx context.Context, queues []string) (map[string]bool, error) {
	paused := make(map[string]bool, len(queues))
	if len(queues) == 0 {
		return paused, nil
	}
	pipe := b.rdb.Pipeline()
	there := make([]*redis.IntCmd, len(queues))
	for i, q := range queues {
		if err := checkQueue(q); err != nil {
			return nil, fmt.Errorf("broker: paused: %w", err)
		}
		there[i] = pipe.Exists(ctx, pausedKey(q))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("broker: paused: %w", err)
	}
	for i, q := range queues {
		paused[q] = there[i].Val() > 0
	}
	return paused, nil
}

// Waiting counts the tasks that wait in each of the queues.
func (b *Broker) Waiting(ctx context.Context, queues []string) (map[string]int64, error) {
	if len(queues) == 0 {
		return map[string]int64{}, nil
	}
	pipe := b.rdb.Pipeline()
	lengths := make([]*redis.IntCmd, len(queues))
	for i, q := range queues {
		if err := checkQueue(q); err != nil {
			return nil, fmt.Errorf("broker: waiting: %w", err)
		}
		lengths[i] = pipe.LLen(ctx, stateKey(q, Pending))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("broker: waiting: %w", err)
	}
	waiting := make(map[string]int64, len(queues))
	for i, q := range queues {
		waiting[q] = lengths[i].Val()
	}
	return waiting, nil
}
