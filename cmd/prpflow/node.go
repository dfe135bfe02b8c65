package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/agents/exec"
	"github.com/prpflow/prpflow/agents/mode"
	"github.com/prpflow/prpflow/agents/registry"
	"github.com/prpflow/prpflow/agents/tmux"
	"github.com/prpflow/prpflow/bus"
	"github.com/prpflow/prpflow/internal/config"
	"github.com/prpflow/prpflow/internal/redisconn"
	"github.com/prpflow/prpflow/reliable/spool"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/tasks/broker"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/redisstore"
	"github.com/prpflow/prpflow/workflow/relay"
	"github.com/prpflow/prpflow/workflow/sweep"
)

// How often a long-lived process does what nobody waits for.
const (
	queuesEvery = 10 * time.Second // a queue that somebody deleted is there again
	trimEvery   = time.Minute
)

// clientName is what the connections of a long-lived process are called.
const clientName = "prpflow"

// node is a long-lived process: a desk that sends what it commits, with the
// agents that run in it.
type node struct {
	*desk
	log     *slog.Logger
	relay   *relay.Relay
	sweeper *sweep.Sweeper
	runtime *agents.Runtime
	servers []*broker.Server
	queues  []string
	spool   *spool.Spool
	bell    *tmux.Bell
	bridge  *bus.Listener // nil where the process does not serve
	patrol  *patrol       // the same

	// Everything in the background ends with the context of back, not with the
	// signal that ends the process: drained runs have last words.
	back context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup
	lost chan error // the agents' names were taken over

	address string // of Redis
	self    string // incarnation of this process

	signals *interrupts
}

// nodeConfig says what kind of process it is.
type nodeConfig struct {
	cfg    config.Config
	redis  string        // address
	specs  []agents.Spec // agents that run in this process
	serves bool          // it relays and sweeps for everybody
	state  string        // folder for results
	mode   string        // what the environment says of the mode, "" for nothing
	log    *slog.Logger

	signals *interrupts        // the second one cuts a drain short
	spare   func(pid int) bool // names children that outlive their runs; nil: there are none
}

// startNode connects, waiting for Redis as long as it takes, and starts all but
// the HTTP server. The caller ends it with close.
func startNode(ctx context.Context, c nodeConfig) (*node, error) {
	rdb, err := redisconn.Open(c.redis, redisconn.Options{Profile: redisconn.LongLived, Name: clientName})
	if err != nil {
		return nil, err
	}
	if _, err := mode.New(rdb, c.mode); err != nil { // before anything is written
		_ = rdb.Close()
		return nil, &coded{errUsage, err.Error()}
	}
	bell, err := tmux.New(tmux.Config{})
	if err != nil {
		return nil, err
	}
	if len(c.specs) > 0 || os.Getpid() == 1 {
		if err := exec.Adopt(c.spare); err != nil {
			c.log.Warn("what a run leaves behind is found by its variables only", "err", err)
		}
	}
	n := &node{address: c.redis, log: c.log, lost: make(chan error, 1), bell: bell, signals: c.signals}
	n.back, n.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := n.build(ctx, c, rdb); err != nil {
		n.stop()
		if n.desk != nil {
			n.store.Close()
		}
		_ = rdb.Close()
		return nil, err
	}
	n.run(c.serves)
	err = n.post(c.serves, c.mode)
	if err == nil {
		err = n.open()
	}
	if err != nil {
		return nil, errors.Join(err, n.close(ctx))
	}
	return n, nil
}

// dial makes a further client for the same Redis, which follows a failover as the others
// do.
func (n *node) dial(pool int) (redis.UniversalClient, error) {
	return redisconn.Open(n.address, redisconn.Options{Profile: redisconn.LongLived, Name: clientName, PoolSize: pool})
}

// build makes the parts and makes the process known.
func (n *node) build(ctx context.Context, c nodeConfig, rdb redis.UniversalClient) error {
	if err := patiently(ctx, n.log, func(ctx context.Context) error { return redisconn.Ping(ctx, rdb) }); err != nil {
		return err
	}
	self, err := registry.Self("", programVersion())
	if err != nil {
		return err
	}
	n.self = self.Incarnation
	self.Serves, self.Schema = c.serves, workflow.SchemaVersion
	n.desk, err = newDesk(ctx, c.cfg, rdb, parts{
		worker: self.Incarnation, identity: n.looked,
		broker: broker.Config{Log: n.log, Dial: n.dial},
		engine: engine.Config{Log: n.log},
	})
	if err != nil {
		return err
	}
	// Before anything is written.
	if err := patiently(ctx, n.log, func(ctx context.Context) error { return n.checkRoles(ctx, c.specs) }); err != nil {
		return err
	}
	if err := patiently(ctx, n.log, n.found); err != nil {
		return err
	}
	n.checkChannels(ctx)
	if c.serves {
		if err := n.examine(ctx, rdb); err != nil {
			return err
		}
	}
	n.relay, err = relay.New(relay.Config{Outbox: seamStore(n.store), Engine: n.engine, Broker: seamBroker(n.broker), Inbox: n.inbox, Log: n.log})
	if err != nil {
		return err
	}
	n.engine.SetSender(n.relay)
	n.sweeper, err = sweep.New(sweep.Config{
		Engine: n.engine, Store: seamStore(n.store), Broker: seamBroker(n.broker), Registry: seamRegistry(n.registry),
		Self: self.Incarnation, Log: n.log,
	})
	if err != nil {
		return err
	}
	n.runtime, err = agents.NewRuntime(agents.Config{
		Engine: seamEngine(n.engine), Registry: n.registry, Mail: mailRoom{n.inbox}, Adapter: exec.Adapter{Ring: n.ring}, Specs: c.specs, Process: self,
		StateDir: c.state, StoreID: n.meta.StoreID, Drain: c.cfg.Drain, Log: n.log,
	})
	if err != nil {
		return err
	}
	for _, s := range n.runtime.Specs() {
		n.queues = append(n.queues, queuesOf(s)...)
	}
	if err := patiently(ctx, n.log, n.runtime.Register); err != nil {
		return errors.Join(err, n.runtime.Drain(ctx))
	}
	return nil
}

// checkChannels says once what is missing without the right to publish. News only
// saves waiting: whoever waits looks every second as well.
func (n *node) checkChannels(ctx context.Context) {
	err := n.rdb.Publish(ctx, redisstore.EventsChannel, "").Err()
	if refusal, ok := redisconn.Refused(err); ok && !refusal.Passes {
		n.log.Warn("without its channels prpflow works, with news up to a second later, and without the bus of legacy agents: " + refusal.Sentence)
	}
}

// checkRoles refuses agents of roles that nobody ever has work for.
func (n *node) checkRoles(ctx context.Context, specs []agents.Spec) error {
	lc, err := n.activeLifecycle(ctx)
	if err != nil {
		return err
	}
	for _, s := range specs {
		if !slices.Contains(lc.Roles(), s.Role) {
			return usagef("agent %s has the role %q, which the active lifecycle does not know: it has %s", s.Name, s.Role, strings.Join(lc.Roles(), ", "))
		}
	}
	return nil
}

// looked reads what the store is, as soon as that can be read.
func (n *node) looked(ctx context.Context, store *redisstore.Store) (meta workflow.Meta, err error) {
	err = patiently(ctx, n.log, func(ctx context.Context) error {
		meta, err = looked(ctx, store)
		return err
	})
	return meta, err
}

// found lays the foundation of an empty store.
func (n *node) found(ctx context.Context) (err error) {
	n.meta, err = found(ctx, n.store)
	return err
}

// run starts what goes on in the background.
func (n *node) run(serves bool) {
	n.goes(func(ctx context.Context) {
		if err := n.runtime.Run(ctx); err != nil {
			n.lost <- err
		}
	})
	n.goes(n.follow)
	n.every(queuesEvery, func(ctx context.Context) error { return n.broker.EnsureQueues(ctx, n.queues...) })
	if !serves {
		n.goes(n.relay.Resend)
		return
	}
	n.goes(n.relay.Run)
	n.goes(n.sweeper.Run)
	n.every(trimEvery, n.broker.TrimArchive)
}

// open lets the agents take work. What dead incarnations left behind comes
// first, so that nothing runs beside its predecessor.
func (n *node) open() error {
	if err := n.runtime.OfferLeftovers(n.back); err != nil {
		n.log.Warn("results of an earlier process are offered again later", "err", err)
	}
	if err := n.broker.EnsureQueues(n.back, n.queues...); err != nil {
		n.log.Warn("queues not announced yet", "err", err)
	}
	for _, s := range n.runtime.Specs() {
		server, err := n.broker.Serve(broker.ServeConfig{Queues: queuesOf(s), Concurrency: max(s.Concurrency, 1), Handle: n.runtime.Handle(s.Name)})
		if err != nil {
			return fmt.Errorf("agent %s: %w", s.Name, err)
		}
		n.servers = append(n.servers, server)
	}
	return nil
}

func queuesOf(s agents.Spec) []string {
	return append(tasks.AgentQueues(s.Name), tasks.RoleQueue(s.Role))
}

// goes runs f until the node is closed.
func (n *node) goes(f func(ctx context.Context)) { n.wg.Go(func() { f(n.back) }) }

// every calls f again and again. A failure is said once, not each time.
func (n *node) every(period time.Duration, f func(ctx context.Context) error) {
	n.goes(func(ctx context.Context) {
		tick := time.NewTicker(period)
		defer tick.Stop()
		said := ""
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := f(ctx); err == nil {
				said = ""
			} else if text := err.Error(); text != said && ctx.Err() == nil {
				n.log.Warn(text)
				said = text
			}
		}
	})
}

// follow checks a PRP's runs as soon as something happened to it.
func (n *node) follow(ctx context.Context) {
	sub := n.rdb.Subscribe(ctx, redisstore.EventsChannel)
	defer sub.Close()
	news := sub.Channel()
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-news:
			if !ok {
				return
			}
			id, _, _ := strings.Cut(m.Payload, " ")
			n.runtime.Nudge(id)
		}
	}
}

// close ends the process in order: nothing new is taken, what runs may finish
// within the drain time, the rest is handed back.
func (n *node) close(ctx context.Context) error {
	for _, s := range n.servers {
		s.Stop()
	}
	patient, impatient := n.signals.hurried(ctx)
	err := n.runtime.Drain(patient)
	impatient()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	var servers sync.WaitGroup
	for _, s := range n.servers {
		servers.Go(func() {
			if serr := s.Shutdown(last); serr != nil {
				n.log.Debug("broker", "err", serr)
			}
		})
	}
	servers.Wait()
	n.stop()
	n.wg.Wait()
	n.desk.close()
	if redisconn.IsUnavailable(err) {
		n.log.Warn("Redis could not be told of the end: others learn of it by the silence", "err", err)
		return nil
	}
	return err
}
