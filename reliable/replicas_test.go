package reliable

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
)

// The network between a master and its replica is cut while messages are pushed, the
// master dies, and the replica takes over. What Push has confirmed is there; what it
// has refused to confirm is pushed again, and is one message.
func TestWhatReplicasConfirmedSurvivesAFailover(t *testing.T) {
	t.Parallel()
	master, replica := redistest.Server(t), redistest.Server(t)
	wire := redistest.NewWire(t, master.Addr)
	host, port, err := net.SplitHostPort(wire.Addr)
	if err != nil {
		t.Fatal(err)
	}
	after := replica.Client()
	b := &bench{T: t, rdb: master.Client(), name: "mail"}
	b.must(after.Do(t.Context(), "REPLICAOF", host, port).Err())
	q := b.open(b.rdb, Config{Name: "mail", Replicas: 1, ReplicaWait: 500 * time.Millisecond})
	b.until("the replica follows", func() bool {
		_, err := q.Push(t.Context(), Message{ID: "first"})
		return err == nil
	})
	confirmed, refused := []string{"first"}, []string{}
	for i := range 60 {
		id := fmt.Sprint("m", i)
		if i == 40 {
			wire.Cut()
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := q.Push(ctx, Message{ID: id})
		cancel()
		switch {
		case err == nil:
			confirmed = append(confirmed, id)
		case errors.Is(err, ErrNotReplicated):
			refused = append(refused, id)
		default:
			t.Fatal(err)
		}
		if len(refused) == 3 {
			break
		}
	}
	if len(confirmed) < 41 || len(refused) != 3 {
		t.Fatalf("%d confirmed, %d refused", len(confirmed), len(refused))
	}
	master.Kill()
	b.must(after.Do(t.Context(), "REPLICAOF", "NO", "ONE").Err())
	heir := b.open(after, Config{Name: "mail"})
	there, err := heir.Peek(t.Context(), 1000)
	b.must(err)
	for _, id := range confirmed {
		if !slices.ContainsFunc(there, func(m Message) bool { return m.ID == id }) {
			t.Errorf("%s was confirmed, and is lost", id)
		}
	}
	for _, id := range refused {
		_, err := heir.Push(t.Context(), Message{ID: id})
		b.must(err)
	}
	b.wantBooks(heir, Books{Pushed: int64(len(confirmed) + len(refused)), Waiting: int64(len(confirmed) + len(refused))})
}

// A cluster routes WAIT to any node unless it is told where.
func TestReplicasThatAreNotThereConfirmNothing(t *testing.T) {
	t.Parallel()
	for _, open := range []func(*testing.T) redis.UniversalClient{func(t *testing.T) redis.UniversalClient { return redistest.Redis(t) }, redistest.Cluster} {
		b := &bench{T: t, rdb: open(t), name: redistest.Name("queue")}
		q := b.open(b.rdb, Config{Name: b.name, Replicas: 1, ReplicaWait: 20 * time.Millisecond})
		if _, err := q.Push(t.Context(), Message{ID: "1"}); !errors.Is(err, ErrNotReplicated) {
			t.Errorf("without a replica: %v", err)
		}
		b.wantWaiting(q, "1")
		b.wantBooks(q, Books{Pushed: 1, Waiting: 1})
	}
}
