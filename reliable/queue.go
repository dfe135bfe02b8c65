package reliable

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// What the zero values of a Config stand for.
const (
	DefaultLease       = 6 * time.Second
	DefaultDedup       = 10 * time.Minute
	DefaultMaxAttempts = 5
	DefaultBackoff     = time.Second
	DefaultMaxBackoff  = time.Minute
	DefaultRetention   = 30 * 24 * time.Hour
)

// Config names a queue and the worker that uses it.
type Config struct {
	// Name is what errors call the queue, and what its keys are named after.
	// Empty: the Prefix.
	Name string
	// Prefix starts every key and holds their hash tag. Empty: {q:<Name>}.
	Prefix string
	// Worker is whose hands the messages are in: one running process, never a
	// name that a restarted one has again. Empty: hostname:pid:nonce, made by New.
	Worker string
	// Lease is how long a worker may be silent before its messages go home.
	// Zero: DefaultLease.
	Lease time.Duration
	// Dedup is how long the id of a message is remembered, so that pushing it
	// again is no second message. Zero: DefaultDedup.
	Dedup time.Duration
	// Limit is how many messages may wait or be delayed; Push answers ErrFull where
	// there would be more. Zero: any number.
	Limit int
	// MaxAttempts is how many deliveries of a message may fail, by Nack or by the
	// death of a worker. The last makes it a dead letter. Zero: DefaultMaxAttempts.
	// Below zero: any number.
	MaxAttempts int
	// Backoff is the upper bound of the time from the first failure to the next
	// delivery. It doubles with each failure up to MaxBackoff, and the time is drawn
	// at random below it. Zero: DefaultBackoff, DefaultMaxBackoff.
	Backoff, MaxBackoff time.Duration
	// Retention is how long a dead letter is kept. Zero: DefaultRetention. Below
	// zero: until somebody drops it.
	Retention time.Duration
	// Receipts is of how many messages Find still says that they were acknowledged.
	// Zero: none.
	Receipts int
	// Replicas is how many replicas must have a message before Push answers, and
	// ReplicaWait how long they may take: ErrNotReplicated says that they did not, and
	// that a failover may lose the message. Zero: none, and a second.
	Replicas    int
	ReplicaWait time.Duration
	// Waits counts how long messages wait until they are delivered for the first
	// time: see Books.
	Waits bool
}

// Queue is one worker's hold of a queue: a process opens one for each worker name.
// It is safe for concurrent use.
type Queue struct {
	rdb     redis.UniversalClient
	scripts *scriptSet
	keys    Keys
	taken   string // this worker's list
	hand    string // and what it has received
	cfg     Config

	// taking is held for reading while Receive runs, so that Extend knows whether
	// an element of the list may still be received.
	taking sync.RWMutex

	mu     sync.Mutex
	heard  map[string]bool      // names of calls that were answered, which Redis does not know yet
	lost   map[string]time.Time // names of calls that were not answered
	copies map[string][]string  // id -> keys of messages whose key is not their id
	held   int64                // how many messages were in hand at the last renewal
	lapses time.Time            // end of the lease, as far as this process knows
}

// New opens a queue; nothing is written yet. A client's read timeout must be over
// a second, which is how long Receive lets Redis wait.
func New(rdb redis.UniversalClient, cfg Config) (*Queue, error) {
	if rdb == nil {
		return nil, errors.New("reliable: a queue needs a Redis client")
	}
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	keys, err := KeysFor(cfg.Prefix)
	if err != nil {
		return nil, err
	}
	taken, err := keys.Taken(cfg.Worker)
	if err != nil {
		return nil, err
	}
	hand, err := keys.Hand(cfg.Worker)
	if err != nil {
		return nil, err
	}
	set, err := scripts()
	if err != nil {
		return nil, fmt.Errorf("reliable: %w", err)
	}
	return &Queue{
		rdb: rdb, scripts: set, keys: keys, taken: taken, hand: hand, cfg: cfg,
		heard: map[string]bool{}, lost: map[string]time.Time{}, copies: map[string][]string{},
	}, nil
}

// all are the keys that each script is given first.
func (q *Queue) all(more ...string) []string { return append(q.keys.all(q.taken, q.hand), more...) }

// Worker is the name under which this queue takes messages.
func (q *Queue) Worker() string { return q.cfg.Worker }

// Lease is how long this worker may be silent.
func (q *Queue) Lease() time.Duration { return q.cfg.Lease }

// Keys are the queue's keys.
func (q *Queue) Keys() Keys { return q.keys }

func (c *Config) fill() error {
	switch {
	case c.Name == "" && c.Prefix == "":
		return errors.New("reliable: a queue needs a name or a prefix")
	case c.Prefix == "" && strings.ContainsAny(c.Name, "{}"):
		return fmt.Errorf("reliable: the name %q must not hold braces", c.Name)
	case c.Prefix == "":
		c.Prefix = "{q:" + c.Name + "}"
	case c.Name == "":
		c.Name = c.Prefix
	}
	if c.Worker == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("reliable: name the worker: %w", err)
		}
		// In containers every pid is 1, and host names repeat: hence the nonce.
		c.Worker = fmt.Sprintf("%s:%d:%s", host, os.Getpid(), nonce())
	}
	if c.Lease == 0 {
		c.Lease = DefaultLease
	}
	if c.Dedup == 0 {
		c.Dedup = DefaultDedup
	}
	c.MaxAttempts = cmp.Or(c.MaxAttempts, DefaultMaxAttempts)
	c.Backoff, c.MaxBackoff = cmp.Or(c.Backoff, DefaultBackoff), cmp.Or(c.MaxBackoff, DefaultMaxBackoff)
	c.Retention = cmp.Or(c.Retention, DefaultRetention)
	c.ReplicaWait = cmp.Or(c.ReplicaWait, time.Second)
	if c.Backoff < 0 || c.MaxBackoff < 0 || c.Limit < 0 || c.Receipts < 0 {
		return fmt.Errorf("reliable: %s: backoff %s to %s, limit %d and receipts %d must not be below zero", c.Name, c.Backoff, c.MaxBackoff, c.Limit, c.Receipts)
	}
	if c.Lease < time.Millisecond || c.Dedup < time.Millisecond {
		return fmt.Errorf("reliable: %s: lease %s and dedup %s must be a millisecond at least", c.Name, c.Lease, c.Dedup)
	}
	return nil
}

func nonce() string { return strings.ToLower(rand.Text()[:16]) }

// fail names the operation and the queue.
func (q *Queue) fail(operation string, err error) error {
	return fmt.Errorf("reliable: %s %s: %w", operation, q.cfg.Name, err)
}
