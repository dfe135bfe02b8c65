package redisconn

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// EmbeddedServer is a Redis within this process. It keeps all in memory and
// forgets it when it is closed.
type EmbeddedServer struct {
	// URL is its address, on a free port of 127.0.0.1, with a password that
	// nobody else knows: show it Redacted.
	URL string

	mini *miniredis.Miniredis
	stop context.CancelFunc
	done chan struct{}
	once sync.Once
}

// clockStep is how often the embedded server's clock is moved. By itself it lets
// no key expire; following the real clock at each command costs far more.
const clockStep = 250 * time.Millisecond

// Embedded starts an in-process server. It ends with the context or by Close.
func Embedded(ctx context.Context) (*EmbeddedServer, error) {
	mini := miniredis.NewMiniRedis()
	password := rand.Text()
	mini.RequireAuth(password)
	if err := mini.StartAddr("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &EmbeddedServer{URL: "redis://:" + password + "@" + mini.Addr(), mini: mini, stop: cancel, done: make(chan struct{})}
	go s.run(ctx)
	return s, nil
}

func (s *EmbeddedServer) run(ctx context.Context) {
	defer close(s.done)
	defer s.mini.Close()
	tick := time.NewTicker(clockStep)
	defer tick.Stop()
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			s.mini.FastForward(now.Sub(last))
			last = now
		}
	}
}

// Close ends the server and waits until it has. Twice is once.
func (s *EmbeddedServer) Close() error {
	s.once.Do(s.stop)
	<-s.done
	return nil
}
