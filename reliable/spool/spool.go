package spool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"
)

// The defaults of a Config.
const (
	DefaultMaxBytes = 64 << 20
	DefaultKeep     = 7 * 24 * time.Hour
)

// ErrFull says that a spool has no room for a record.
var ErrFull = errors.New("the spool is full")

// Record is one message on its way.
type Record struct {
	// Queue is where the message goes.
	Queue string `json:"queue"`
	// ID identifies the message: the receiver treats two records with the same id
	// as one message.
	ID string `json:"id"`
	// At is when it was appended. Append sets it if it is zero.
	At time.Time `json:"at"`
	// Body is any bytes.
	Body []byte `json:"body"`
}

// Config says where a spool is and what it holds.
type Config struct {
	// Dir is the folder. It must belong to the user of this process, and nobody
	// else may have permission to write to it. Required.
	Dir string
	// MaxBytes is how many bytes may wait on disk. Zero: DefaultMaxBytes.
	MaxBytes int64
	// Keep is how long the receiver remembers ids. Zero: DefaultKeep.
	Keep time.Duration
	// Log receives warnings about damage and about records that are too old. Nil:
	// no log.
	Log *slog.Logger
}

// Spool is a log in a folder. It is safe for concurrent use by goroutines and by
// processes.
type Spool struct {
	cfg        Config
	log, stale *journal

	// One goroutine at a time waits for a lock file; the others wait here.
	turn, drainTurn chan struct{}

	now  func() time.Time
	step func(point string) // a test's hook, called between any two changes on disk
}

// Open prepares a spool; nothing is read or created yet.
func Open(cfg Config) (*Spool, error) {
	if cfg.Dir == "" {
		return nil, errors.New("spool: a folder is required")
	}
	if cfg.MaxBytes < 0 || cfg.Keep < 0 {
		return nil, fmt.Errorf("spool: %d bytes and %s to keep must not be negative", cfg.MaxBytes, cfg.Keep)
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	cfg.Dir = dir
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = DefaultMaxBytes
	}
	if cfg.Keep == 0 {
		cfg.Keep = DefaultKeep
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Spool{
		cfg: cfg, turn: make(chan struct{}, 1), drainTurn: make(chan struct{}, 1),
		now: time.Now, step: func(string) {},
	}
	s.log, s.stale = &journal{spool: s, name: logName}, &journal{spool: s, name: staleName}
	return s, nil
}

// Dir is the absolute path of the folder.
func (s *Spool) Dir() string { return s.cfg.Dir }

// Names of the files.
const (
	logName       = "log"
	staleName     = "stale"
	lockName      = "lock"
	drainLockName = "drain"
	damagedPrefix = "damaged-"
)

func (s *Spool) path(name string) string { return filepath.Join(s.cfg.Dir, name) }

// change locks the files for one short read or change.
func (s *Spool) change(ctx context.Context, do func() error) error {
	return s.locked(ctx, s.turn, lockName, do)
}

// locked runs do while no other goroutine and no other process holds the lock.
func (s *Spool) locked(ctx context.Context, turn chan struct{}, name string, do func() error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return fmt.Errorf("wait for another user of the spool: %w", context.Cause(ctx))
	}
	unlock, err := lock(ctx, s.path(name))
	if err != nil {
		return fmt.Errorf("wait for another user of the spool: %w", err)
	}
	defer unlock()
	return do()
}

// fail names the operation and the folder.
func (s *Spool) fail(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("spool: %s %s: %w", operation, s.cfg.Dir, err)
}
