package redisconn

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Profile says how long a client tries before it gives up.
type Profile int

const (
	// Interactive is for a verb that somebody waits for: while Redis cannot be
	// reached it tries for 3 s in all.
	Interactive Profile = iota
	// LongLived is for serve and agents: between two dials it waits 50 ms, then
	// twice as long each time up to 5 s. Commands fail in the meantime, their
	// callers repeat them.
	LongLived
)

// Options of a client. The zero value is good for a command-line verb.
type Options struct {
	// Profile is Interactive where it is not set.
	Profile Profile
	// PoolSize bounds the connections per server; 0 means ten per processor.
	// Each blocked command holds one.
	PoolSize int
	// Name is shown by CLIENT LIST; "" means none.
	Name string
}

// patience is the total time that an interactive client tries to connect.
const patience = 3 * time.Second

// Open makes a client for an address; it does not dial. The caller closes it.
// An address that cannot be used is an ErrURL.
func Open(address string, opts Options) (redis.UniversalClient, error) {
	universal, secure, err := parse(address)
	if err != nil {
		return nil, err
	}
	if secure != nil {
		if _, err := secure.config(universal.Addrs[0]); err != nil {
			return nil, err // rather than at each dial
		}
	}
	silence()
	universal.PoolSize = opts.PoolSize
	universal.OnConnect = called(opts.Name)
	universal.ContextTimeoutEnabled = true // a deadline of the caller ends the wait for a reply
	universal.DialerRetries = 1            // our dialer does the waiting
	universal.MinRetryBackoff = firstWait
	universal.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch opts.Profile {
	case LongLived:
		universal.DialTimeout = 2 * lastWait // the wait before the dial counts too
		universal.MaxRetryBackoff = lastWait
		universal.Dialer = newPatient(secure).dial
	default:
		universal.DialTimeout = patience + time.Second // the dialer's own bound comes first
		universal.ReadTimeout = patience
		universal.WriteTimeout = patience
		universal.MaxRetries = 1
		universal.Dialer = newHurried(secure, len(universal.Addrs) == 1).dial
	}
	return redis.NewUniversalClient(universal), nil
}

// called names a connection. The name is for people: a user who may not give one goes
// without.
func called(name string) func(context.Context, *redis.Conn) error {
	if name == "" {
		return nil
	}
	return func(ctx context.Context, conn *redis.Conn) error {
		err := conn.ClientSetName(ctx, name).Err()
		if isReply(err) {
			return nil
		}
		return err
	}
}

// silence keeps go-redis from printing beside our own messages: what went wrong
// comes back as an error.
var silence = sync.OnceFunc(func() { redis.SetLogger(silent{}) })

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
