package broker

import (
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// dialer says how the servers get clients of their own. pool bounds a client's
// connections, 0 leaves the default.
func dialer(cfg Config) (func(pool int) (redis.UniversalClient, error), error) {
	if cfg.Dial != nil {
		return cfg.Dial, nil
	}
	switch c := cfg.Redis.(type) {
	case *redis.Client:
		if c.Options().Addr == sentinelAddr {
			return nil, errors.New("broker: a copy of a client of Sentinel does not follow a failover: set Dial")
		}
		return func(pool int) (redis.UniversalClient, error) {
			return redis.NewClient(likeClient(c.Options(), pool)), nil
		}, nil
	case *redis.ClusterClient:
		return func(pool int) (redis.UniversalClient, error) {
			return redis.NewClusterClient(likeCluster(c.Options(), pool)), nil
		}, nil
	}
	return nil, fmt.Errorf("broker: clients like a %T cannot be made: set Dial", cfg.Redis)
}

// sentinelAddr is what go-redis calls the address of a client that follows a master.
const sentinelAddr = "FailoverClient"

func likeClient(from *redis.Options, pool int) *redis.Options {
	o := *from
	if pool > 0 {
		o.PoolSize = pool
	}
	o.MinIdleConns = 0
	o.PushNotificationProcessor = nil // belongs to one client
	// A client keeps "none" as 0, which asks for the default when it is made.
	if o.MaxRetries == 0 {
		o.MaxRetries = -1
	}
	return &o
}

func likeCluster(from *redis.ClusterOptions, pool int) *redis.ClusterOptions {
	o := *from
	if pool > 0 {
		o.PoolSize = pool
	}
	o.MinIdleConns = 0
	if o.MaxRedirects == 0 {
		o.MaxRedirects = -1
	}
	return &o
}
