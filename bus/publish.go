package bus

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// everybody is the receiver that a broadcast names.
const everybody = "all"

// Publish sends a message to the current subscribers of an agent's channel. A zero
// Timestamp becomes now, an empty To becomes name.
func Publish(ctx context.Context, rdb redis.UniversalClient, name string, m Message) error {
	channel, err := Channel(name)
	if err != nil {
		return fmt.Errorf("bus: publish to %w", err)
	}
	m.To = cmp.Or(m.To, name)
	return publish(ctx, rdb, channel, m)
}

// PublishBroadcast sends a message to the current subscribers of the broadcast
// channel. It sets Type to TypeBroadcast; a zero Timestamp becomes now, an empty To
// becomes "all".
func PublishBroadcast(ctx context.Context, rdb redis.UniversalClient, m Message) error {
	m.To, m.Type = cmp.Or(m.To, everybody), TypeBroadcast
	return publish(ctx, rdb, Broadcast, m)
}

func publish(ctx context.Context, rdb redis.UniversalClient, channel string, m Message) error {
	if m.Timestamp.IsZero() {
		m.Timestamp = time.Now()
	}
	payload, err := Encode(m)
	if err != nil {
		return err
	}
	node, err := nodeOf(ctx, rdb, channel)
	if err == nil {
		err = node.Publish(ctx, channel, payload).Err()
	}
	if err != nil {
		return fmt.Errorf("bus: publish on %s: %w", channel, err)
	}
	return nil
}

// nodeOf is where messages on a channel are published. On a cluster go-redis picks
// a random node each time, and messages that enter the cluster at different nodes
// can overtake each other.
func nodeOf(ctx context.Context, rdb redis.UniversalClient, channel string) (redis.Cmdable, error) {
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, channel)
	}
	return rdb, nil
}
