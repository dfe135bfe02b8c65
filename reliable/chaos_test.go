package reliable

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/mortal"
	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/reliable/spool"
)

// Producers behind a bad network, consumers that are killed and a Redis that is
// killed: every message is handled, and each is acknowledged once.
func TestChaosLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	if addr := os.Getenv("RELIABLE_TEST_CHAOS_REDIS"); addr != "" {
		consumeInChaos(t, addr, os.Getenv("RELIABLE_TEST_CHAOS_LOG"))
		return
	}
	server := redistest.Server(t, "--appendfsync", "always")
	c := &chaos{
		bench: &bench{T: t, rdb: server.Client(), name: "chaos"}, server: server, dir: t.TempDir(),
		near: redistest.NewWire(t, server.Addr), far: redistest.NewWire(t, server.Addr),
	}
	t.Cleanup(func() {
		for _, w := range c.consumers {
			w.kill()
		}
	})
	over := make(chan struct{})
	var producers sync.WaitGroup
	producers.Go(func() { c.repeats("a", 3, over) })
	producers.Go(func() { c.repeats("b", -1, over) })
	producers.Go(func() { c.spools("c", over) })
	for range 3 {
		c.consumers = append(c.consumers, c.hire())
	}
	c.rage(chaosTime(t))
	close(over)
	producers.Wait()
	c.settle()
	c.judge()
}

func chaosTime(t *testing.T) time.Duration {
	t.Helper()
	if text := os.Getenv("PRPFLOW_CHAOS_SECONDS"); text != "" {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return time.Duration(n * float64(time.Second))
	}
	if os.Getenv("PRPFLOW_TORTURE") != "" {
		return time.Minute
	}
	return 3 * time.Second
}

// chaosConfig has no message die, and remembers every id to the end.
var chaosConfig = Config{Name: "chaos", Lease: time.Second, Dedup: time.Hour, MaxAttempts: -1}

// chaosClient is a client that gives up soon; retries is how often go-redis itself
// sends a command again, -1 for never.
func chaosClient(addr string, timeout time.Duration, retries int) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: timeout, DialTimeout: timeout, DialerRetries: 1, MaxRetries: retries})
}

// chaos is a queue, and all that is done to it.
type chaos struct {
	*bench
	server    *redistest.Instance
	near, far *redistest.Wire // the producers' and the consumers'
	dir       string          // of the consumers' logs

	mu  sync.Mutex
	ids []string // of all messages that a producer has made

	failures                      atomic.Int64 // of pushes
	consumers                     []*hireling
	hired, kills, restarts, wires int
}

// next is the next message of a producer.
func (c *chaos) next(producer string, n int) Message {
	m := messages(fmt.Sprint(producer, "-", n))[0]
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ids = append(c.ids, m.ID)
	return m
}

// lasting is how long a producer tries once the chaos is over.
const lasting = 30 * time.Second

// produce calls do until the chaos is over, and then until nothing is left to repeat.
func (c *chaos) produce(over <-chan struct{}, do func(more bool, n int) (left bool)) {
	var end time.Time
	for n := 0; ; n++ {
		time.Sleep(4 * time.Millisecond)
		select {
		default:
			do(true, n)
			continue
		case <-over:
		}
		if end.IsZero() {
			end = time.Now().Add(lasting)
		}
		if !do(false, n) {
			return
		}
		if time.Now().After(end) {
			c.Error("a producer cannot push what it has to repeat")
			return
		}
	}
}

// repeats is a producer that keeps what failed in memory.
func (c *chaos) repeats(name string, retries int, over <-chan struct{}) {
	rdb := chaosClient(c.near.Addr, 300*time.Millisecond, retries)
	defer rdb.Close()
	q := c.open(rdb, chaosConfig)
	var failed []Message
	c.produce(over, func(more bool, n int) bool {
		some := failed[:min(len(failed), 10)]
		if more {
			some = append(slices.Clone(some), c.next(name, n))
		}
		failed = failed[min(len(failed), 10):]
		for _, m := range some {
			if _, err := q.Push(c.Context(), m); err != nil {
				c.failures.Add(1)
				failed = append(failed, m)
			}
		}
		return len(failed) > 0
	})
}

// spools is a producer that keeps what failed in a spool, which drains meanwhile.
func (c *chaos) spools(name string, over <-chan struct{}) {
	rdb := chaosClient(c.near.Addr, 300*time.Millisecond, -1)
	defer rdb.Close()
	q := c.open(rdb, chaosConfig)
	s, err := spool.Open(spool.Config{Dir: filepath.Join(c.dir, "spool"), Keep: chaosConfig.Dedup})
	c.must(err)
	drain := func() (left bool) {
		_, err := s.Drain(c.Context(), func(ctx context.Context, records []spool.Record) error {
			var list []Message
			for _, r := range records {
				list = append(list, Message{ID: r.ID, Body: r.Body})
			}
			_, err := q.Push(ctx, list...)
			return err
		})
		return err != nil
	}
	stop := make(chan struct{})
	var drains sync.WaitGroup
	drains.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				drain()
			}
		}
	})
	c.produce(over, func(more bool, n int) bool {
		if !more {
			return drain()
		}
		m := c.next(name, n)
		if _, err := q.Push(c.Context(), m); err != nil {
			c.failures.Add(1)
			if err := s.Append(c.Context(), spool.Record{Queue: chaosConfig.Name, ID: m.ID, Body: m.Body}); err != nil {
				c.Error(err)
			}
		}
		return true
	})
	close(stop)
	drains.Wait()
}

// hireling is a consumer process. It ends in order once its stdin is closed, which
// happens too where this process dies.
type hireling struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

func (h *hireling) kill() {
	_ = h.cmd.Process.Kill()
	_ = h.cmd.Wait()
}

func (c *chaos) hire() *hireling {
	c.Helper()
	c.hired++
	cmd := exec.Command(os.Args[0], "-test.run=^TestChaosLosesAndDoublesNothing$", "-test.timeout=1h")
	cmd.Env = append(os.Environ(), "RELIABLE_TEST_CHAOS_REDIS="+c.far.Addr,
		"RELIABLE_TEST_CHAOS_LOG="+filepath.Join(c.dir, fmt.Sprint("consumer-", c.hired, ".log")))
	stdin, err := cmd.StdinPipe()
	c.must(err)
	c.must(mortal.Start(cmd))
	return &hireling{cmd: cmd, stdin: stdin}
}

// consumeInChaos is the consumer process. It writes down each delivery before it
// acknowledges it.
func consumeInChaos(t *testing.T, addr, path string) {
	log, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	rdb := chaosClient(addr, 1500*time.Millisecond, 3)
	defer rdb.Close()
	q, err := New(rdb, chaosConfig)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); stop() }()
	err = q.Consume(ctx, func(_ context.Context, m Message) error {
		if string(m.Body) != m.ID {
			return fmt.Errorf("the body is %q", m.Body)
		}
		_, err := fmt.Fprintf(log, "%s %d\n", m.ID, m.Attempt) // one write
		time.Sleep(rand.N(20 * time.Millisecond))              // a kill finds work that is not acknowledged
		return err
	}, ConsumeConfig{Concurrency: 4})
	if err != nil {
		t.Error(err)
	}
}

// rage kills consumers and Redis, and spoils the network, for so long.
func (c *chaos) rage(long time.Duration) {
	c.Helper()
	const step = 100 * time.Millisecond
	down := false
	for i := range int(long / step) {
		time.Sleep(step)
		if i%7 == 5 {
			one := rand.N(len(c.consumers))
			c.consumers[one].kill()
			c.consumers[one] = c.hire()
			c.kills++
		}
		if i%4 == 3 {
			c.spoil([]*redistest.Wire{c.near, c.far}[rand.N(2)])
		}
		switch i % 20 {
		case 10:
			c.server.Kill()
			down = true
		case 13:
			c.server.Restart()
			c.restarts++
			down = false
		}
	}
	if down {
		c.server.Restart()
		c.restarts++
	}
	c.near.Mend()
	c.far.Mend()
}

// spoil does something to a network, or ends it.
func (c *chaos) spoil(w *redistest.Wire) {
	c.wires++
	w.Mend()
	switch rand.N(5) {
	case 0:
		w.Cut()
	case 1:
		w.Deafen() // commands arrive, their answers do not
	case 2:
		w.Slow(time.Duration(rand.N(200)) * time.Millisecond)
	case 3:
		w.Cut() // a short break: what is under way is lost
		w.Mend()
	}
}

// settle waits until nothing is left to do, and ends the consumers in order.
func (c *chaos) settle() {
	c.Helper()
	q := c.worker("judge")
	var b Books
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var err error
		b, err = q.Books(c.Context())
		c.must(err)
		if b.Waiting+b.Taken+b.Delayed == 0 {
			break
		}
		if time.Now().After(end) {
			c.Fatalf("the consumers do not empty the queue: %s", b)
		}
	}
	for _, h := range c.consumers {
		c.must(h.stdin.Close())
		if err := h.cmd.Wait(); err != nil {
			c.Errorf("a consumer: %v", err)
		}
	}
	c.consumers = nil
}

// judge compares what was pushed with what was handled and with the books.
func (c *chaos) judge() {
	c.Helper()
	q := c.worker("judge")
	all := int64(len(c.ids))
	c.wantBooks(q, Books{Pushed: all, Done: all})
	c.wantNothingKept(q)
	books, err := q.Books(c.Context())
	c.must(err)
	runs := c.runs()
	again, total := 0, int64(0)
	for _, id := range c.ids {
		attempts := runs[id]
		delete(runs, id)
		if len(attempts) == 0 {
			c.Errorf("%s was pushed and never handled", id)
		}
		total += int64(len(attempts))
		again += max(0, len(attempts)-1)
		slices.Sort(attempts)
		if len(slices.Compact(slices.Clone(attempts))) != len(attempts) {
			c.Errorf("%s was handled twice without a delivery that had failed: attempts %v", id, attempts)
		}
	}
	for id := range runs {
		c.Errorf("%s was handled and nobody has made it", id)
	}
	if total > all+books.Failed {
		c.Errorf("%d messages with %d failed deliveries were handled %d times", all, books.Failed, total)
	}
	c.Logf("pushed %d (%d calls failed), handled %d times, of which %d again; %d deliveries failed; %d consumers killed, %d restarts of Redis, %d changes of a network",
		all, c.failures.Load(), total, again, books.Failed, c.kills, c.restarts, c.wires)
}

// runs reads from the logs which attempts at each message were handled.
func (c *chaos) runs() map[string][]int {
	c.Helper()
	runs := map[string][]int{}
	for i := range c.hired {
		f, err := os.Open(filepath.Join(c.dir, fmt.Sprint("consumer-", i+1, ".log")))
		if os.IsNotExist(err) { // it was killed before it began
			continue
		}
		c.must(err)
		for lines := bufio.NewScanner(f); lines.Scan(); {
			id, attempt, _ := strings.Cut(lines.Text(), " ")
			n, err := strconv.Atoi(attempt)
			c.must(err)
			runs[id] = append(runs[id], n)
		}
		c.must(f.Close())
	}
	return runs
}
