package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/reliable"
	"github.com/prpflow/prpflow/workflow"
)

// Config of a Store.
type Config struct {
	// Worker names this process' list of unsent entries: hostname:pid:nonce.
	// Empty for a short-lived process, whose entries go to the shared list.
	Worker string
	// Lease is how long the entries of a silent process stay its own. 0 = 5 s.
	Lease time.Duration
	// Partitions must be the store's. 0 = 8.
	Partitions int
}

const (
	requestsKept = 24 * time.Hour      // how long a request id is remembered
	deadKept     = 30 * 24 * time.Hour // how long a dead letter is kept
)

// Store is a workflow.Store on Redis.
type Store struct {
	rdb     redis.UniversalClient
	cfg     Config
	scripts scriptSet

	outboxes []*reliable.Queue
	keys     []reliable.Keys

	mu     sync.Mutex
	unsent []map[string]bool    // ids of entries in this process' lists, by partition; true: seen, or just committed
	leases map[string]time.Time // when the name of a lease was noted

	arrived chan received
	start   sync.Once
	stop    context.CancelFunc
	closed  chan struct{}
	close   sync.Once
	done    sync.WaitGroup
}

var _ workflow.Store = (*Store)(nil)

// New makes a store on a client that the caller keeps, and closes after Close.
func New(rdb redis.UniversalClient, cfg Config) (*Store, error) {
	if rdb == nil {
		return nil, errors.New("redisstore: a store needs a Redis client")
	}
	if cfg.Partitions <= 0 {
		cfg.Partitions = 8
	}
	if cfg.Lease <= 0 {
		cfg.Lease = 5 * time.Second
	}
	set, err := loadScripts()
	if err != nil {
		return nil, err
	}
	s := &Store{rdb: rdb, cfg: cfg, scripts: set, leases: map[string]time.Time{}, arrived: make(chan received), closed: make(chan struct{}), stop: func() {}}
	for p := range cfg.Partitions {
		q, err := reliable.New(rdb, reliable.Config{Prefix: outboxPrefix(p), Worker: cfg.Worker, Lease: cfg.Lease, MaxAttempts: -1})
		if err != nil {
			return nil, fmt.Errorf("redisstore: %w", err)
		}
		s.outboxes, s.keys, s.unsent = append(s.outboxes, q), append(s.keys, q.Keys()), append(s.unsent, map[string]bool{})
	}
	return s, nil
}

// Close ends every Receive and returns once nothing of this store waits for
// Redis any more, after a second at most. What it had taken goes home when its
// lease lapses. All but Receive still works.
func (s *Store) Close() {
	s.close.Do(func() { close(s.closed) })
	s.start.Do(func() {}) // nothing starts any more
	s.stop()
	s.done.Wait()
}

// Load reads a record and Redis' clock.
func (s *Store) Load(ctx context.Context, id string) (workflow.Record, time.Time, error) {
	pipe := s.rdb.Pipeline()
	clock := pipe.Time(ctx)
	key, kerr := s.recordKey(id)
	values := redis.NewSliceResult(nil, nil)
	if kerr == nil {
		values = pipe.HMGet(ctx, key, fields...)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return workflow.Record{}, time.Time{}, failure("load", id, err)
	}
	now := clock.Val().UTC()
	l := loaded(id, values.Val())
	if l.ID == "" {
		return l.Record, now, fmt.Errorf("redisstore: load %s: %w", id, workflow.ErrNotFound)
	}
	return l.Record, now, l.Err
}

// loadAtOnce bounds a pipeline.
const loadAtOnce = 500

// LoadMany reads several records, and Redis' clock; an unknown id gives one
// without an ID.
func (s *Store) LoadMany(ctx context.Context, ids []string) ([]workflow.Loaded, time.Time, error) {
	recs := make([]workflow.Loaded, 0, len(ids))
	var now time.Time
	for chunk := range slices.Chunk(ids, loadAtOnce) {
		pipe := s.rdb.Pipeline()
		var clock *redis.TimeCmd
		if now.IsZero() {
			clock = pipe.Time(ctx)
		}
		answers := make([]*redis.SliceCmd, len(chunk))
		for i, id := range chunk {
			key, err := s.recordKey(id)
			if err != nil {
				answers[i] = redis.NewSliceResult(nil, nil)
				continue
			}
			answers[i] = pipe.HMGet(ctx, key, fields...)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			if wrong := wrongKind(answers); wrong == nil {
				return nil, now, failure("load", chunk[0], err)
			}
		}
		if clock != nil {
			now = clock.Val().UTC()
		}
		for i, a := range answers {
			l := loaded(chunk[i], a.Val())
			if err := a.Err(); err != nil {
				l = workflow.Loaded{Record: workflow.Record{ID: chunk[i]}, Err: fmt.Errorf("redisstore: the record %s: %w: %w", chunk[i], workflow.ErrUnreadable, err)}
			}
			recs = append(recs, l)
		}
	}
	return recs, now, nil
}

// wrongKind finds the answer about a key that is no record: of that one alone
// nothing can be read. It is nil where anything else went wrong.
func wrongKind(answers []*redis.SliceCmd) error {
	var wrong error
	for _, a := range answers {
		switch err := a.Err(); {
		case err == nil:
		case redis.HasErrorPrefix(err, "WRONGTYPE"):
			wrong = err
		default:
			return nil
		}
	}
	return wrong
}

// Look sets the time to the next look.
func (s *Store) Look(ctx context.Context, id string, seen int64, in time.Duration) error {
	key, err := s.recordKey(id)
	if err != nil {
		return failure("look", id, err)
	}
	err = s.scripts.look.Run(ctx, s.rdb, []string{key, dueKey(s.partition(id))}, id, seen, millis(in)).Err()
	return failure("look", id, err)
}

// Request tells what a request id was used for.
func (s *Store) Request(ctx context.Context, id, request string) (string, error) {
	key, err := s.requestKey(id, request)
	if err != nil {
		return "", nil //nolint:nilerr // what has no name was used for nothing
	}
	event, err := s.rdb.Get(ctx, key).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return event, failure("request", id, err)
}

// millis is a duration in whole milliseconds, at least one where it is above 0.
func millis(d time.Duration) string {
	if d > 0 && d < time.Millisecond {
		d = time.Millisecond
	}
	return strconv.FormatInt(max(d.Milliseconds(), 0), 10)
}
