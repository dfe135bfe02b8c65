package broker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/tasks"
)

// EnsureQueues makes queues known to Asynq and asynqmon. Enqueuing does so once
// a process; a queue that was deleted since needs this.
func (b *Broker) EnsureQueues(ctx context.Context, queues ...string) error {
	names := make([]any, len(queues))
	for i, q := range queues {
		if err := checkQueue(q); err != nil {
			return fmt.Errorf("broker: %w", err)
		}
		names[i] = q
	}
	if len(names) == 0 {
		return nil
	}
	if err := b.rdb.SAdd(ctx, allQueues, names...).Err(); err != nil {
		return fmt.Errorf("broker: make queues known: %w", err)
	}
	return nil
}

// Pause makes a queue hand out nothing. Active tasks go on.
func (b *Broker) Pause(ctx context.Context, queue string) error {
	if err := checkQueue(queue); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	if err := b.rdb.SetNX(ctx, pausedKey(queue), time.Now().Unix(), 0).Err(); err != nil {
		return fmt.Errorf("broker: pause %s: %w", queue, err)
	}
	return nil
}

// Resume undoes Pause.
func (b *Broker) Resume(ctx context.Context, queue string) error {
	if err := checkQueue(queue); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	if err := b.rdb.Del(ctx, pausedKey(queue)).Err(); err != nil {
		return fmt.Errorf("broker: resume %s: %w", queue, err)
	}
	return nil
}

// Queues tells of every queue that Asynq knows, by name, what the engine needs:
// all of tasks.QueueState.
func (b *Broker) Queues(ctx context.Context) ([]tasks.QueueState, error) {
	names, err := b.names(ctx)
	if err != nil {
		return nil, err
	}
	type answer struct {
		paused, pending, scheduled, retry *redis.IntCmd
		active                            *redis.StringSliceCmd
	}
	answers := make([]answer, len(names))
	_, err = b.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, q := range names {
			answers[i] = answer{
				paused:    p.Exists(ctx, pausedKey(q)),
				pending:   p.LLen(ctx, pendingKey(q)),
				scheduled: p.ZCard(ctx, stateKey(q, Scheduled)),
				retry:     p.ZCard(ctx, stateKey(q, Retry)),
				active:    p.LRange(ctx, stateKey(q, Active), 0, -1),
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("broker: queues: %w", err)
	}
	states := make([]tasks.QueueState, len(names))
	for i, a := range answers {
		states[i] = tasks.QueueState{
			Name: names[i], Paused: a.paused.Val() > 0, Pending: a.pending.Val(),
			Delayed: a.scheduled.Val() + a.retry.Val(), Active: a.active.Val(),
		}
	}
	return states, nil
}

// QueuesOf tells of the queues named, in their order and known or not, how many
// tasks are pending and whether they are paused; Delayed and Active stay zero. A
// name that no queue can have is that of an empty queue.
func (b *Broker) QueuesOf(ctx context.Context, queues []string) ([]tasks.QueueState, error) {
	type answer struct{ paused, pending *redis.IntCmd }
	answers := make([]answer, len(queues))
	_, err := b.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, q := range queues {
			if checkQueue(q) == nil {
				answers[i] = answer{p.Exists(ctx, pausedKey(q)), p.LLen(ctx, pendingKey(q))}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("broker: state of %d queues: %w", len(queues), err)
	}
	states := make([]tasks.QueueState, len(queues))
	for i, a := range answers {
		states[i].Name = queues[i]
		if a.paused != nil {
			states[i].Paused, states[i].Pending = a.paused.Val() > 0, a.pending.Val()
		}
	}
	return states, nil
}

// names lists the queues of agents and roles that Asynq knows, sorted. Others in the
// same Redis are somebody else's.
func (b *Broker) names(ctx context.Context) ([]string, error) {
	names, err := b.rdb.SMembers(ctx, allQueues).Result()
	if err != nil {
		return nil, fmt.Errorf("broker: list queues: %w", err)
	}
	names = slices.DeleteFunc(names, func(q string) bool { return checkQueue(q) != nil || !tasks.IsQueue(q) })
	slices.Sort(names)
	return names, nil
}
