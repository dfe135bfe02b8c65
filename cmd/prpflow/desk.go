package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/agents/registry"
	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/internal/config"
	"github.com/prpflow/prpflow/internal/redisconn"
	"github.com/prpflow/prpflow/tasks/broker"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/redisstore"
)

// config reads the configuration that all verbs share.
func (p *program) config(cmd *cobra.Command) (config.Config, error) {
	return p.load(config.Options{Flags: cmd.Flags(), Env: p.env})
}

// ownConfig is the same for verbs that bring a Redis where none is named.
func (p *program) ownConfig(cmd *cobra.Command) (config.Config, error) {
	return p.load(config.Options{Flags: cmd.Flags(), Env: p.env, OwnRedis: true})
}

func (p *program) load(opts config.Options) (config.Config, error) {
	cfg, err := config.Load(opts)
	if err != nil {
		return cfg, &coded{errUsage, err.Error()}
	}
	return cfg, nil
}

// desk is what a verb works on: everything that lies in Redis. A verb is
// short-lived, so what it commits is sent by a relay.
type desk struct {
	cfg      config.Config
	rdb      redis.UniversalClient
	store    *redisstore.Store
	meta     workflow.Meta
	broker   *broker.Broker
	registry *registry.Registry
	inbox    *inbox.Inbox
	engine   *engine.Engine
}

// desk opens the store of a verb that may bring the first PRP or lifecycle into it.
// The caller closes it.
func (p *program) desk(cmd *cobra.Command) (*desk, error) {
	return p.open(cmd, redisconn.Ping, found)
}

// open opens a store after it was asked how it is, as its identity says.
func (p *program) open(cmd *cobra.Command, ping func(context.Context, redis.UniversalClient) error, identity identify) (*desk, error) {
	cfg, err := p.config(cmd)
	if err != nil {
		return nil, err
	}
	rdb, err := redisconn.Open(cfg.Redis, redisconn.Options{})
	if err != nil {
		return nil, err
	}
	if err := ping(cmd.Context(), rdb); err != nil {
		_ = rdb.Close()
		if errors.Is(err, redisconn.ErrUnreachable) && !cfg.RedisChosen() {
			return nil, fmt.Errorf("%w; start one with `prpflow serve`, or name yours with --redis", err)
		}
		return nil, err
	}
	d, err := newDesk(cmd.Context(), cfg, rdb, parts{identity: identity})
	if err != nil {
		_ = rdb.Close()
		return nil, err
	}
	return d, nil
}

// parts is what a long-lived process gives to its desk.
type parts struct {
	worker   string   // its list of unsent entries
	identity identify // says what the store is
	broker   broker.Config
	engine   engine.Config
}

// newDesk joins the packages. The client stays the caller's if it fails.
func newDesk(ctx context.Context, cfg config.Config, rdb redis.UniversalClient, with parts) (*desk, error) {
	d := &desk{cfg: cfg, rdb: rdb}
	var err error
	if d.store, err = redisstore.New(rdb, redisstore.Config{Worker: with.worker}); err != nil {
		return nil, err
	}
	if d.meta, err = with.identity(ctx, d.store); err != nil {
		return nil, err
	}
	with.broker.Redis = rdb
	if d.broker, err = broker.New(with.broker); err != nil {
		return nil, err
	}
	if d.registry, err = registry.New(rdb); err != nil {
		return nil, err
	}
	d.registry.Log = with.broker.Log
	if d.inbox, err = inbox.New(rdb, inboxConfig(cfg, with.broker.Log)); err != nil {
		return nil, err
	}
	with.engine.Store, with.engine.Broker, with.engine.Registry, with.engine.Nonce = seamStore(d.store), seamBroker(d.broker), seamRegistry(d.registry), nonce
	d.engine, err = engine.New(with.engine)
	return d, err
}

// identify says what a store is.
type identify func(context.Context, *redisstore.Store) (workflow.Meta, error)

// looked reads what the store is, and changes nothing: it may be full, a replica, or
// one that the user may only read. An empty one is as it will be once somebody writes.
func looked(ctx context.Context, store *redisstore.Store) (workflow.Meta, error) {
	meta, err := store.Identity(ctx)
	if errors.Is(err, workflow.ErrNotFound) {
		return workflow.Meta{Schema: workflow.SchemaVersion, Lifecycle: fsm.Default().Hash()}, nil
	}
	return meta, err
}

// found reads what the store is; on an empty one it lays the foundation.
func found(ctx context.Context, store *redisstore.Store) (workflow.Meta, error) {
	lc := fsm.Default()
	if _, err := store.Lifecycle(ctx, lc.Hash()); errors.Is(err, workflow.ErrNotFound) {
		err = store.PutLifecycle(ctx, lc.Hash(), lc.Source())
		if err != nil {
			return workflow.Meta{}, err
		}
	} else if err != nil {
		return workflow.Meta{}, err
	}
	return store.Meta(ctx, workflow.Meta{Schema: workflow.SchemaVersion, StoreID: nonce(), Lifecycle: lc.Hash()})
}

// activeLifecycle is the one that new PRPs get.
func (d *desk) activeLifecycle(ctx context.Context) (*fsm.Lifecycle, error) {
	if def := fsm.Default(); def.Hash() == d.meta.Lifecycle { // which an empty store does not have yet
		return def, nil
	}
	source, err := d.store.Lifecycle(ctx, d.meta.Lifecycle)
	if err != nil {
		return nil, err
	}
	return fsm.ParseStored("the active lifecycle", source)
}

func (d *desk) close() {
	d.store.Close()
	_ = d.rdb.Close()
}

// nonce is random text for names that nobody else may hit upon.
func nonce() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// with opens the desk for the length of a verb that changes what there is. In an empty
// store there is nothing, and nothing is written.
func (p *program) with(verb func(cmd *cobra.Command, args []string, d *desk) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		d, err := p.open(cmd, redisconn.Ping, looked)
		if err != nil {
			return err
		}
		defer d.close()
		return verb(cmd, args, d)
	}
}

// reads opens the desk for the length of a verb that only reads.
func (p *program) reads(verb func(cmd *cobra.Command, args []string, d *desk) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		d, err := p.open(cmd, redisconn.PingToLook, looked)
		if err != nil {
			return err
		}
		defer d.close()
		return verb(cmd, args, d)
	}
}

// unknown turns the store's word for an unknown PRP into a sentence.
func unknown(id string, err error) error {
	if errors.Is(err, workflow.ErrNotFound) {
		return &coded{errNotFound, fmt.Sprintf("no PRP %s is known: `prpflow list` shows those that are", id)}
	}
	return err
}
