package reliable

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// ErrNotReplicated says that a message is in the queue, and that not as many replicas
// have it as Config.Replicas asks for: a failover may lose it. Push it again to know;
// it is still one message.
var ErrNotReplicated = errors.New("not enough replicas have it yet")

// commit runs lua/push.lua, and waits for replicas where the configuration says so.
func (q *Queue) commit(ctx context.Context, keys []string, args []any) (int, error) {
	if q.cfg.Replicas <= 0 {
		return q.scripts.push.Run(ctx, q.rdb, keys, args...).Int()
	}
	rdb, err := q.master(ctx)
	if err != nil {
		return 0, err
	}
	// WAIT counts for the connection that has written, so both are one pipeline. The
	// script is known: the first call answers the same when it is sent again.
	n, err := q.scripts.push.Run(ctx, rdb, keys, args...).Int()
	if err != nil || n == -1 {
		return n, err
	}
	pipe := rdb.Pipeline()
	push := q.scripts.push.Queue(ctx, pipe, keys, args...)
	wait := redis.NewIntCmd(ctx, "WAIT", q.cfg.Replicas, q.cfg.ReplicaWait.Milliseconds())
	_ = pipe.Process(ctx, wait)
	_, _ = pipe.Exec(ctx) // each command says what became of it
	if err := push.Err(); err != nil {
		return 0, err
	}
	have, err := wait.Result()
	if err == nil && have < int64(q.cfg.Replicas) {
		err = fmt.Errorf("%w: %d of %d", ErrNotReplicated, have, q.cfg.Replicas)
	}
	if err != nil {
		return 0, err
	}
	return n, nil
}

// master is the client of the server that has the queue: on a cluster WAIT must go
// where the script went.
func (q *Queue) master(ctx context.Context) (redis.UniversalClient, error) {
	if c, ok := q.rdb.(*redis.ClusterClient); ok {
		return c.MasterForKey(ctx, q.keys.Pending)
	}
	return q.rdb, nil
}
