package bus

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// everybody is what a broadcast calls its receiver.
const everybody = "all"

// Publish sends a message to whoever listens to an agent's channel now. Where
// Timestamp is zero it is now, and where To is empty it is name.
func Publish(ctx context.Context, rdb redis.UniversalClient, name string, m Message) error {
	channel, err := Channel(name)
	if err != nil {
		return fmt.Errorf("bus: publish to %w", err)
	}
	m.To = cmp.Or(m.To, name)
	return publish(ctx, rdb, channel, m)
}

// PublishBroadcast sends a message to whoever listens to the broadcast channel
// now. Type is TypeBroadcast whatever it says, the rest is as in Publish.
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

// nodeOf is where messages on a channel are published. On a cluster go-redis
// would pick another node each time, and messages that take different ways
// through the cluster overtake each other.
func nodeOf(ctx context.Context, rdb redis.UniversalClient, channel string) (redis.Cmdable, error) {
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, channel)
	}
	return rdb, nil
}
