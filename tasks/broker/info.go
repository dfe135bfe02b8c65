package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// QueueInfo is what lies in a queue.
type QueueInfo struct {
	Name                                        string
	Pending, Active, Scheduled, Retry, Archived int
	Paused                                      bool
	Oldest                                      time.Time // since when the next pending task waits; zero if none does or its hash is gone
}

// Infos describes every queue that Asynq knows, by name. It reads the keys
// itself: Asynq's Inspector fails for a queue with one task whose hash is gone.
func (b *Broker) Infos(ctx context.Context) ([]QueueInfo, error) {
	names, err := b.names(ctx)
	if err != nil {
		return nil, err
	}
	infos, next, err := b.count(ctx, names)
	if err != nil {
		return nil, fmt.Errorf("broker: describe queues: %w", err)
	}
	if err := b.age(ctx, infos, next); err != nil {
		return nil, fmt.Errorf("broker: describe queues: %w", err)
	}
	return infos, nil
}

// count reads the sizes, and the id of each queue's next task.
func (b *Broker) count(ctx context.Context, names []string) ([]QueueInfo, []string, error) {
	type answer struct {
		sizes  [5]*redis.IntCmd
		paused *redis.IntCmd
		next   *redis.StringCmd
	}
	answers := make([]answer, len(names))
	cmds, _ := b.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, q := range names {
			answers[i] = answer{
				sizes: [5]*redis.IntCmd{
					p.LLen(ctx, pendingKey(q)),
					p.LLen(ctx, stateKey(q, Active)),
					p.ZCard(ctx, stateKey(q, Scheduled)),
					p.ZCard(ctx, stateKey(q, Retry)),
					p.ZCard(ctx, stateKey(q, Archived)),
				},
				paused: p.Exists(ctx, pausedKey(q)),
				next:   p.LIndex(ctx, pendingKey(q), -1),
			}
		}
		return nil
	})
	if err := firstError(cmds); err != nil {
		return nil, nil, err
	}
	infos, next := make([]QueueInfo, len(names)), make([]string, len(names))
	for i, a := range answers {
		n := func(j int) int { return int(a.sizes[j].Val()) }
		infos[i] = QueueInfo{Name: names[i], Pending: n(0), Active: n(1), Scheduled: n(2), Retry: n(3), Archived: n(4), Paused: a.paused.Val() > 0}
		next[i] = a.next.Val()
	}
	return infos, next, nil
}

// age fills in since when the next task of each queue waits.
func (b *Broker) age(ctx context.Context, infos []QueueInfo, next []string) error {
	since := make([]*redis.StringCmd, len(infos))
	cmds, _ := b.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, id := range next {
			if id != "" {
				since[i] = p.HGet(ctx, taskKey(infos[i].Name, id), "pending_since")
			}
		}
		return nil
	})
	if err := firstError(cmds); err != nil {
		return err
	}
	for i, cmd := range since {
		if cmd == nil {
			continue
		}
		if ns, err := strconv.ParseInt(cmd.Val(), 10, 64); err == nil {
			infos[i].Oldest = time.Unix(0, ns)
		}
	}
	return nil
}

// firstError finds what went wrong in a pipeline. Finding nothing is no error.
func firstError(cmds []redis.Cmder) error {
	for _, c := range cmds {
		if err := c.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
	}
	return nil
}
