package reliable

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/redistest"
)

// A consumer loses the answer of its BLMOVE, and has no network for four seconds.
// It goes on receiving, or it only goes on renewing its lease.
func TestLostAnswerAndAnOutageLoseNoMessage(t *testing.T) {
	t.Parallel()
	for name, receives := range map[string]bool{"it receives on": true, "it renews its lease only": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Server(t)
			b := &bench{T: t, rdb: server.Client(), name: "mail"}
			far := redistest.NewWire(t, server.Addr)
			rdb := redis.NewClient(&redis.Options{Addr: far.Addr, ReadTimeout: 1500 * time.Millisecond, DialerRetries: 1})
			defer rdb.Close()
			blocked := make(chan struct{}, 1000)
			rdb.AddHook(&lossy{command: "blmove", before: func(context.Context) { blocked <- struct{}{} }})
			q, heir := b.open(rdb, Config{Name: "mail", Worker: "w"}), b.worker("heir")

			lost := make(chan error, 1)
			go func() {
				_, err := q.Receive(t.Context(), patience)
				lost <- err
			}()
			<-blocked
			far.Deafen()
			b.push(heir, "1")
			b.until("Redis has handed it out", func() bool { return b.rdb.LLen(t.Context(), q.taken).Val() == 1 })
			far.Cut()
			if err := <-lost; err == nil || errors.Is(err, ErrEmpty) {
				t.Fatalf("the answer was not lost: %v", err)
			}
			for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
				_ = q.Extend(t.Context())
			}
			far.Mend()

			back := time.Now()
			b.until("it is delivered", func() bool {
				if receives {
					m, err := q.Receive(t.Context(), 100*time.Millisecond)
					return err == nil && m.ID == "1"
				}
				_ = q.Extend(t.Context())
				m, err := heir.Receive(t.Context(), 100*time.Millisecond)
				return err == nil && m.ID == "1"
			})
			if took := time.Since(back); took > 10*time.Second {
				t.Errorf("it came %s after the network", took)
			}
		})
	}
}
