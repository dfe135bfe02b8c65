package bus

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/prpflow/prpflow/internal/redistest"
)

// patience is how long a test waits for an event; it proves nothing by itself.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	if addr := os.Getenv(childAddr); addr != "" {
		childListens(context.Background(), addr)
	}
	goleak.VerifyTestMain(redistest.Tests{M: m}, goleak.IgnoreCurrent())
}

// bench is one test's listener and what it has heard for the test's own agents:
// other tests publish on the same server.
type bench struct {
	*testing.T
	rdb  redis.UniversalClient
	name string // begins the names of this test's agents
	log  safeBuffer

	mu    sync.Mutex
	heard []Heard
}

func newBench(t *testing.T, rdb redis.UniversalClient) *bench {
	return &bench{T: t, rdb: rdb, name: redistest.Name("dev")}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// listener makes a listener on a client, which a test may change before it starts.
func (b *bench) listener(rdb redis.UniversalClient, cfg ListenerConfig) *Listener {
	b.Helper()
	cfg.Log = slog.New(slog.NewTextHandler(&b.log, nil))
	l, err := NewListener(rdb, cfg)
	b.must(err)
	return l
}

// start listens until the end of the test, and returns once it hears. handle is
// called for messages of this test alone; nil takes them all.
func (b *bench) start(l *Listener, handle func(context.Context, Heard) error) {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.Listen(ctx, func(ctx context.Context, h Heard) error {
			if name, _ := Agent(h.Channel); !strings.HasPrefix(name, b.name) {
				return nil
			}
			if handle != nil {
				if err := handle(ctx, h); err != nil {
					return err
				}
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			b.heard = append(b.heard, h)
			return nil
		})
	}()
	b.Cleanup(func() { stop(); <-done })
	b.until("the subscription is confirmed", l.Ready)
}

func (b *bench) publish(texts ...string) {
	b.Helper()
	for _, text := range texts {
		b.must(Publish(b.Context(), b.rdb, b.name, Message{Text: text}))
	}
}

// texts are what was handled so far.
func (b *bench) texts() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var texts []string
	for _, h := range b.heard {
		m, err := Decode(h.Payload)
		if err != nil {
			b.Errorf("heard %q: %v", h.Payload, err)
		}
		texts = append(texts, m.Text)
	}
	return texts
}

func (b *bench) wantTexts(want ...string) {
	b.Helper()
	same := func() bool { return strings.Join(b.texts(), "\n") == strings.Join(want, "\n") }
	for end := time.Now().Add(patience); !same(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("heard %.2000s, want %.2000s\n%s", fmt.Sprintf("%q", b.texts()), fmt.Sprintf("%q", want), b.log.String())
		}
	}
}

func (b *bench) until(what string, happened func() bool) {
	b.Helper()
	for end := time.Now().Add(patience); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatalf("it never happened: %s\n%s", what, b.log.String())
		}
	}
}

// testClock is a clock that a test sets forward.
type testClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *testClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *testClock) sleep(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
