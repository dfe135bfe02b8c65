package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// pair is a master and a replica that take each other's place.
type pair struct {
	t       *testing.T
	servers [2]*redistest.Instance
	wires   [2]*redistest.Wire // to each server, for the other to follow
	master  atomic.Int32
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{t: t}
	for i := range p.servers {
		p.servers[i] = redistest.Server(t, "--appendonly", "no", "--save", "", "--repl-diskless-sync-delay", "0")
		p.wires[i] = redistest.NewWire(t, p.servers[i].Addr)
	}
	p.follow()
	return p
}

// client is one that finds whichever is the master.
func (p *pair) client() redis.UniversalClient {
	rdb := redis.NewClient(&redis.Options{
		Addr: "master", MaxRetries: 10, MinRetryBackoff: 8 * time.Millisecond, PoolSize: 64,
		Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", p.servers[p.master.Load()].Addr)
		},
	})
	p.t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// follow makes the other server a replica of the master, and waits until it is.
func (p *pair) follow() {
	p.t.Helper()
	m := p.master.Load()
	replica := redis.NewClient(&redis.Options{Addr: p.servers[1-m].Addr})
	defer replica.Close()
	host, port, err := net.SplitHostPort(p.wires[m].Addr)
	ok(p.t, err)
	p.wires[m].Mend()
	ok(p.t, replica.Do(p.t.Context(), "REPLICAOF", host, port).Err())
	for end := time.Now().Add(soon); ; time.Sleep(10 * time.Millisecond) {
		info, err := replica.InfoMap(p.t.Context(), "replication").Result()
		if err == nil && info["Replication"]["master_link_status"] == "up" {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("the replica does not follow: %v, %v", info, err)
		}
	}
}

// failover lets the replica fall behind for a while, then makes it the master: what
// the old one was told meanwhile is lost.
func (p *pair) failover(lag time.Duration) {
	p.t.Helper()
	m := p.master.Load()
	p.wires[m].Cut()
	time.Sleep(lag)
	p.servers[m].Kill()
	replica := redis.NewClient(&redis.Options{Addr: p.servers[1-m].Addr})
	defer replica.Close()
	ok(p.t, replica.Do(p.t.Context(), "REPLICAOF", "NO", "ONE").Err())
	p.master.Store(1 - m)
	p.servers[m].Restart()
	p.follow()
}

// A store that loses its last second breaks no history: no transition counts that
// was decided on a record which the store no longer has.
func TestFailoverToAReplicaThatLagsBreaksNoHistory(t *testing.T) {
	rounds := 4
	if torture {
		rounds = 50
	}
	p := newPair(t)
	var bureaus []*bureau
	for i := range 2 {
		self := fmt.Sprintf("h:%d:failover", i)
		b := openBureau(t, p.client(), self, nil)
		b.lives(self, tasks.Agent{Name: fmt.Sprintf("dev-%d", i), Role: "developer", Concurrency: 8})
		b.watch(self)
		bureaus = append(bureaus, b)
	}
	crowd := &shift{bureaus: bureaus}
	stop := crowd.work(8)
	for round := range rounds {
		time.Sleep(300 * time.Millisecond)
		p.failover(time.Duration(100+rand.IntN(300)) * time.Millisecond)
		t.Logf("failover %d: %d results counted, %d were refused", round+1, crowd.counted.Load(), crowd.refused.Load())
	}
	time.Sleep(500 * time.Millisecond)
	stop()
	if crowd.counted.Load() < int64(rounds) || crowd.refused.Load() == 0 {
		t.Errorf("%d results counted, %d were refused: nothing was put to the test", crowd.counted.Load(), crowd.refused.Load())
	}
	recs, err := bureaus[0].store.List(t.Context())
	ok(t, err)
	for _, r := range recs {
		h, err := bureaus[0].store.History(t.Context(), r.ID)
		ok(t, err)
		if says := broken(r, h); says != "" {
			t.Errorf("%s: %s", r.ID, says)
		}
	}
	t.Logf("%d PRPs, every history a chain", len(recs))
}

// What was decided on a version that the failover has lost is refused, also where
// the store has another version of the same number by then.
func TestADecisionOnALostVersionIsRefused(t *testing.T) {
	p := newPair(t)
	b := openBureau(t, p.client(), "h:0:lost", nil)
	fire := func(event, by string) {
		t.Helper()
		_, err := b.engine.Trigger(t.Context(), workflow.Trigger{PRP: "PRP-1", Event: event, Actor: by})
		ok(t, err)
	}
	b.submits("PRP-1")
	ok(t, b.rdb.Do(t.Context(), "WAIT", 1, 5000).Err())
	p.wires[0].Cut()
	fire("pause", "ann")
	seen := b.record("PRP-1")
	decided, _, err := workflow.Fire(workflow.Context{Lifecycle: fsm.Default(), Now: time.Now(), Nonce: "n"}, seen, workflow.Trigger{PRP: "PRP-1", Event: "resume", Actor: "bob"})
	ok(t, err)
	p.failover(0)
	fire("pause", "eve")
	other := b.record("PRP-1")
	if other.Version != seen.Version || other.State != seen.State || other.Token == seen.Token {
		t.Fatalf("the store has version %d of %s, and %d was seen", other.Version, other.State, seen.Version)
	}
	if _, err := b.store.Apply(t.Context(), decided); !errors.Is(err, workflow.ErrChanged) {
		t.Errorf("it was applied to another history: %v", err)
	}
	h, err := b.store.History(t.Context(), "PRP-1")
	ok(t, err)
	if last := h[len(h)-1]; last.Actor != "eve" {
		t.Errorf("the history ends with %+v", last)
	}
}

// shift is workers that claim and deliver whatever they find.
type shift struct {
	bureaus          []*bureau
	counted, refused atomic.Int64
	names            atomic.Int64
}

func (c *shift) work(hands int) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for hand := range hands {
		wg.Go(func() {
			b := c.bureaus[hand%len(c.bureaus)]
			for ctx.Err() == nil {
				c.step(ctx, b, fmt.Sprintf("h:%d:failover", hand%len(c.bureaus)))
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// step submits a PRP and carries it as far as the store lets it. What the store
// answers is believed, as a runtime does.
func (c *shift) step(ctx context.Context, b *bureau, incarnation string) {
	id := fmt.Sprintf("PRP-%d", c.names.Add(1))
	if rand.IntN(2) == 0 {
		id = fmt.Sprintf("PRP-%d", 1+rand.Int64N(c.names.Load()))
	}
	if _, err := b.engine.Submit(ctx, submission(id)); err != nil {
		return
	}
	for range 3 {
		rec, _, err := b.store.Load(ctx, id)
		if err != nil || rec.Job() == nil || rec.Holder() != nil {
			return
		}
		job := rec.Job()
		run := tasks.Run{ID: redistest.Name("run"), PRP: id, Job: job.ID, Fence: rec.Fence, Type: job.Type, Agent: "dev", Incarnation: incarnation}
		if _, err := b.engine.Claim(ctx, tasks.Claim{Run: run}); err != nil {
			return
		}
		time.Sleep(time.Duration(rand.IntN(30)) * time.Millisecond)
		for try := 0; ; try++ {
			_, err := b.engine.Deliver(ctx, tasks.Delivery{Run: run, Result: tasks.Result{Outcome: tasks.Done, Evidence: evidence}})
			if err == nil {
				c.counted.Add(1)
				break
			}
			if workflow.ClassOf(err) != workflow.Unreachable || ctx.Err() != nil || try > 200 {
				c.refused.Add(1)
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// broken says what is wrong with a history, "" for nothing: it is a chain that ends
// where the record is, and each result that counts is of a job that it knows.
func broken(r workflow.Loaded, h []workflow.Entry) string {
	if r.Err != nil || len(h) == 0 {
		return fmt.Sprintf("%v, a history of %d entries", r.Err, len(h))
	}
	published, counted := map[string]bool{}, map[string]bool{}
	for i, e := range h {
		switch {
		case i > 0 && e.From != h[i-1].To:
			return fmt.Sprintf("%s leaves %s, and the PRP was in %s", e.Event, e.From, h[i-1].To)
		case e.Job != "" && !published[e.Job]:
			return fmt.Sprintf("%s counts a result of the job %s, which was never published", e.Event, e.Job)
		case e.Job != "" && e.From != e.To && counted[e.Job]:
			return fmt.Sprintf("the job %s counts twice", e.Job)
		}
		published[e.Published] = true
		counted[e.Job] = counted[e.Job] || e.From != e.To
	}
	if last := h[len(h)-1].To; last != r.State {
		return fmt.Sprintf("it is in %s, its history ends in %s", r.State, last)
	}
	return ""
}
