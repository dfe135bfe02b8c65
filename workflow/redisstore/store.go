package redisstore

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/lua"
	"github.com/prpflow/prpflow/reliable"
	"github.com/prpflow/prpflow/workflow"
)

//go:embed lua/*.lua
var scripts embed.FS

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

// requestsKept is how long a request id is remembered.
const requestsKept = 24 * time.Hour

// Store is a workflow.Store on Redis.
type Store struct {
	rdb redis.UniversalClient
	cfg Config

	apply, look, acquire, release, lead, meta *lua.Script

	outboxes []*reliable.Queue
	keys     []reliable.Keys

	mu      sync.Mutex
	unsent  []map[string]bool // ids of entries in this process' lists, by partition
	arrived chan received
	start   sync.Once
	stop    context.CancelFunc
	done    sync.WaitGroup
}

var _ workflow.Store = (*Store)(nil)

// New makes a store on a client that the caller keeps and closes.
func New(rdb redis.UniversalClient, cfg Config) (*Store, error) {
	if cfg.Partitions <= 0 {
		cfg.Partitions = 8
	}
	if cfg.Lease <= 0 {
		cfg.Lease = 5 * time.Second
	}
	s := &Store{rdb: rdb, cfg: cfg, arrived: make(chan received), stop: func() {}}
	for name, to := range map[string]**lua.Script{
		"apply": &s.apply, "look": &s.look, "acquire": &s.acquire, "release": &s.release, "lead": &s.lead, "meta": &s.meta,
	} {
		script, err := lua.Load(scripts, name)
		if err != nil {
			return nil, fmt.Errorf("redisstore: %w", err)
		}
		*to = script
	}
	for p := range cfg.Partitions {
		keys, err := reliable.KeysFor(outboxPrefix(p))
		if err != nil {
			return nil, fmt.Errorf("redisstore: %w", err)
		}
		q, err := reliable.New(rdb, reliable.Config{Prefix: outboxPrefix(p), Worker: cfg.Worker, Lease: cfg.Lease})
		if err != nil {
			return nil, fmt.Errorf("redisstore: %w", err)
		}
		s.keys, s.outboxes, s.unsent = append(s.keys, keys), append(s.outboxes, q), append(s.unsent, map[string]bool{})
	}
	return s, nil
}

// Close ends what waits for entries of the shared lists.
func (s *Store) Close() {
	s.start.Do(func() {}) // nothing starts any more
	s.stop()
	s.done.Wait()
}

// failure says what kind of failure an error of Redis is.
func failure(op, id string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, redis.Nil) || errors.Is(err, reliable.ErrNotTaken) {
		return fmt.Errorf("redisstore: %s %s: %w", op, id, workflow.ErrNotFound)
	}
	var answer redis.Error
	if errors.As(err, &answer) && !refusesForNow(err) {
		return fmt.Errorf("redisstore: %s %s: %w", op, id, err)
	}
	return fmt.Errorf("redisstore: %s %s: %w: %w", op, id, workflow.ErrUnavailable, err)
}

// refusesForNow tells answers of a server that cannot serve at the moment.
func refusesForNow(err error) bool {
	for _, prefix := range []string{"LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "BUSY", "OOM", "MISCONF", "NOREPLICAS"} {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}

// Load reads a record and Redis' clock.
func (s *Store) Load(ctx context.Context, id string) (workflow.Record, time.Time, error) {
	pipe := s.rdb.Pipeline()
	clock := pipe.Time(ctx)
	fields := pipe.HMGet(ctx, s.recordKey(id), "v", "s", "a", "c", "d")
	if _, err := pipe.Exec(ctx); err != nil {
		return workflow.Record{}, time.Time{}, failure("load", id, err)
	}
	rec, err := record(fields.Val())
	if err != nil {
		return rec, clock.Val(), fmt.Errorf("redisstore: load %s: %w", id, err)
	}
	if rec.ID == "" {
		return rec, clock.Val(), fmt.Errorf("redisstore: load %s: %w", id, workflow.ErrNotFound)
	}
	return rec, clock.Val(), nil
}

// LoadMany reads several records; an unknown id gives one without an ID.
func (s *Store) LoadMany(ctx context.Context, ids []string) ([]workflow.Record, error) {
	recs := make([]workflow.Record, 0, len(ids))
	for len(ids) > 0 {
		chunk := ids[:min(len(ids), 500)]
		ids = ids[len(chunk):]
		pipe := s.rdb.Pipeline()
		answers := make([]*redis.SliceCmd, len(chunk))
		for i, id := range chunk {
			answers[i] = pipe.HMGet(ctx, s.recordKey(id), "v", "s", "a", "c", "d")
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, failure("load", chunk[0], err)
		}
		for i, a := range answers {
			rec, err := record(a.Val())
			if err != nil {
				return nil, fmt.Errorf("redisstore: load %s: %w", chunk[i], err)
			}
			recs = append(recs, rec)
		}
	}
	return recs, nil
}

// Look sets the time to the next look.
func (s *Store) Look(ctx context.Context, id string, seen int64, in time.Duration) error {
	err := s.look.Run(ctx, s.rdb, []string{s.recordKey(id), dueKey(s.partition(id))}, id, seen, millis(in)).Err()
	return failure("look", id, err)
}

// Request tells what a request id was used for.
func (s *Store) Request(ctx context.Context, id, request string) (string, error) {
	event, err := s.rdb.Get(ctx, s.requestKey(id, request)).Result()
	if errors.Is(err, redis.Nil) {
		return "", nil
	}
	return event, failure("request", id, err)
}

// millis is a duration in whole milliseconds, at least one where it is not 0.
func millis(d time.Duration) string {
	if d > 0 && d < time.Millisecond {
		d = time.Millisecond
	}
	return strconv.FormatInt(d.Milliseconds(), 10)
}
