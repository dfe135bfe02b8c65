package inbox

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/bus"
	"github.com/prpflow/prpflow/reliable"
)

// ErrName says that a name cannot be that of an agent.
var ErrName = errors.New("not a name of an agent")

var nameRE = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// namesKey is the set of the names that have an inbox.
const namesKey = "{inbox}:names"

// What the zero values of a Config stand for.
const (
	DefaultLimit = 100_000
	receipts     = 1000
)

// Config says how inboxes work.
type Config struct {
	// Limit is how many messages may wait in one inbox. Zero: DefaultLimit.
	Limit int
	// Lease is how long whoever takes a message may be silent. Zero: reliable.DefaultLease.
	Lease time.Duration
	// Retention is how long dead letters are kept. Zero: reliable.DefaultRetention.
	Retention time.Duration
	// Log is told of what is tried again. Nil: nobody.
	Log *slog.Logger
}

// Inbox puts messages into inboxes, looks at them and takes them.
type Inbox struct {
	rdb redis.UniversalClient
	cfg Config

	mu    sync.Mutex
	named map[string]time.Time // names that were noted in namesKey, and when
}

// New makes an Inbox on a client that the caller keeps and closes.
func New(rdb redis.UniversalClient, cfg Config) (*Inbox, error) {
	if rdb == nil {
		return nil, errors.New("inbox: no Redis client")
	}
	if cfg.Limit == 0 {
		cfg.Limit = DefaultLimit
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Inbox{rdb: rdb, cfg: cfg, named: map[string]time.Time{}}, nil
}

// Name folds the name of an agent, as it addresses an inbox.
func Name(name string) (string, error) {
	folded := strings.ToLower(strings.TrimSpace(name))
	if !nameRE.MatchString(folded) {
		return "", fmt.Errorf("%q is %w: a name is 1 to 63 of a-z 0-9 . _ - and begins with a letter or digit", name, ErrName)
	}
	if _, err := bus.Channel(folded); err != nil {
		return "", fmt.Errorf("%q is %w: it is the channel to everybody", name, ErrName)
	}
	return folded, nil
}

// prefix starts the names of queues.
const prefix = "inbox:"

// queue opens the queue of a name, as a worker of its own; opening takes no part in it.
func (b *Inbox) queue(name string) (*reliable.Queue, string, error) {
	folded, err := Name(name)
	if err != nil {
		return nil, "", err
	}
	q, err := reliable.New(b.rdb, reliable.Config{
		Name: prefix + folded, Limit: b.cfg.Limit, Lease: b.cfg.Lease, Retention: b.cfg.Retention, Receipts: receipts, Waits: true,
	})
	return q, folded, err
}

func wrap(name string, err error) error { return fmt.Errorf("inbox of %s: %w", name, err) }
