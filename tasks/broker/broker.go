package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/tasks"
)

// taskTimeout is Asynq's bound on a run. It is never to be reached: how long a
// run may take is for the engine and the agent to say.
const taskTimeout = 30 * 24 * time.Hour

// Config of a Broker. Only Redis must be set.
type Config struct {
	// Redis is the client for everything but the servers, which get connections
	// of their own. The broker does not close it; its owner does, after the
	// servers are shut down.
	Redis redis.UniversalClient

	// Dial makes a further client for the same Redis, of at most pool connections (0:
	// the default); a server makes two and closes them. Nil copies the options of Redis,
	// which must then be a plain *redis.Client or a *redis.ClusterClient: a copy of a
	// client of Sentinel would not follow a failover.
	Dial func(pool int) (redis.UniversalClient, error)

	// Log gets what Asynq has to say: its errors as warnings, one in 30 s at
	// most, all else at the level debug. A handler's panic is an error there.
	// Nil discards it all.
	Log *slog.Logger

	// ArchiveLimit bounds the archive of each queue, see TrimArchive. 0 is
	// 5,000: Asynq's own trimming breaks near 8,000.
	ArchiveLimit int
}

// Broker enqueues tasks, serves queues and answers what lies in them.
type Broker struct {
	rdb          redis.UniversalClient
	client       *asynq.Client
	dial         func(pool int) (redis.UniversalClient, error)
	log          *slog.Logger
	asynqLog     *asynqLog
	scripts      scripts
	archiveLimit int
	slowed       atomic.Uint64
}

// New makes a Broker. It does not talk to Redis.
func New(cfg Config) (*Broker, error) {
	if cfg.Redis == nil {
		return nil, errors.New("broker: no Redis client is given")
	}
	dial, err := dialer(cfg)
	if err != nil {
		return nil, err
	}
	scripts, err := loadScripts()
	if err != nil {
		return nil, err
	}
	b := &Broker{
		scripts:      scripts,
		rdb:          cfg.Redis,
		client:       asynq.NewClientFromRedisClient(cfg.Redis),
		dial:         dial,
		log:          cfg.Log,
		archiveLimit: cfg.ArchiveLimit,
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	b.asynqLog = &asynqLog{log: b.log}
	if b.archiveLimit <= 0 {
		b.archiveLimit = 5000
	}
	return b, nil
}

// Enqueue hands a job to its queue. Its id is the task's, so that enqueuing it
// again is success and changes nothing, in whatever state the task is by then.
func (b *Broker) Enqueue(ctx context.Context, j tasks.Job) error {
	if err := checkTask(j.Queue, j.ID); err != nil {
		return fmt.Errorf("broker: enqueue: %w", err)
	}
	payload, err := j.Order().Encode()
	if err != nil {
		return fmt.Errorf("broker: enqueue %s: %w", j.ID, err)
	}
	_, err = b.client.EnqueueContext(ctx, asynq.NewTask(j.Type, payload),
		asynq.TaskID(j.ID),
		asynq.Queue(j.Queue),
		asynq.MaxRetry(math.MaxInt32), // the engine counts, and a crash spends one too
		asynq.Timeout(taskTimeout))
	if err != nil && !errors.Is(err, asynq.ErrTaskIDConflict) {
		return fmt.Errorf("broker: enqueue %s: %w", j.ID, err)
	}
	return nil
}

// SlowedScripts counts the answers that servers of this broker held back
// because a script that they do not know asked in vain over 100 times a second:
// the sign of an Asynq whose dequeue script is no longer recognised.
func (b *Broker) SlowedScripts() uint64 { return b.slowed.Load() }
