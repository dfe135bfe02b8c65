package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/workflow"
)

// Store is what an engine needs of a store.
type Store interface {
	workflow.Records
	workflow.Waiting
	workflow.Leases
	workflow.Documents
	workflow.Logs
	workflow.Foundation
}

// Sender sends the entries of a change at once, after it was saved. What it
// cannot send stays in the outbox.
type Sender interface {
	Send(ctx context.Context, entries []workflow.OutboxEntry)
}

// Config is what an engine is made of.
type Config struct {
	Store    Store
	Broker   workflow.Broker   // nil: the engine does not route by load
	Registry workflow.Registry // nil: every job goes to its role's queue
	Nonce    func() string     // random text, short; required
	Active   *fsm.Lifecycle    // for new PRPs; nil: the store's
	Log      *slog.Logger      // nil: nothing is logged
	// Clock is what the age of cached knowledge is measured by; nil: time.Now.
	// What decides is the store's clock.
	Clock func() time.Time
	// Parallel is how many items of a batch are worked on at a time. 0 is 16; 1
	// starts no goroutine.
	Parallel int
}

// Engine carries PRPs through their lifecycles. It may be used by many
// goroutines, and any number of engines may share a store.
type Engine struct {
	cfg    Config
	sender Sender
	router *router

	mu         sync.Mutex
	lifecycles workflow.Lifecycles
	specs      specs
}

// New makes an engine.
func New(cfg Config) (*Engine, error) {
	if cfg.Store == nil || cfg.Nonce == nil {
		return nil, errors.New("engine: it needs a store and a source of nonces")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Parallel <= 0 {
		cfg.Parallel = 16
	}
	cfg.Broker, cfg.Registry = workflow.Reached(cfg.Broker, cfg.Registry)
	return &Engine{
		cfg: cfg, lifecycles: workflow.Lifecycles{},
		router: &router{registry: cfg.Registry, broker: cfg.Broker, clock: cfg.Clock},
	}, nil
}

// SetSender makes a long-lived process send what it commits. Without one, the
// entries wait for a relay. It is called before the engine is used.
func (e *Engine) SetSender(s Sender) { e.sender = s }

// lifecycle gives the lifecycle of a hash. Lifecycles never change, so they are
// read once.
func (e *Engine) lifecycle(ctx context.Context, hash string) (*fsm.Lifecycle, error) {
	e.mu.Lock()
	lc := e.lifecycles[hash]
	e.mu.Unlock()
	if lc != nil {
		return lc, nil
	}
	if def := fsm.Default(); def.Hash() == hash {
		lc = def
	} else if active := e.cfg.Active; active != nil && active.Hash() == hash {
		lc = active
	} else {
		source, err := e.cfg.Store.Lifecycle(ctx, hash)
		if err != nil {
			return nil, fmt.Errorf("engine: lifecycle %.12s: %w", hash, err)
		}
		if lc, err = fsm.ParseStored(fmt.Sprintf("lifecycle %.12s", hash), source); err != nil {
			return nil, fmt.Errorf("engine: stored lifecycle: %w: %w", workflow.ErrUnreadable, err)
		}
	}
	e.mu.Lock()
	e.lifecycles[hash] = lc
	e.mu.Unlock()
	return lc, nil
}

// lifecyclesOf gives those of several records. One that cannot be read is left
// out.
func (e *Engine) lifecyclesOf(ctx context.Context, recs []workflow.Loaded) (workflow.Lifecycles, error) {
	all := workflow.Lifecycles{}
	for _, r := range recs {
		if r.ID == "" || r.Err != nil || all[r.Lifecycle] != nil {
			continue
		}
		lc, err := e.lifecycle(ctx, r.Lifecycle)
		if workflow.ClassOf(err) == workflow.Unreachable {
			return nil, err
		}
		if err == nil {
			all[r.Lifecycle] = lc
		}
	}
	return all, nil
}

// decision is one of the pure functions of package workflow, closed over its
// input. save is false where there is nothing to save.
type decision func(c workflow.Context, rec workflow.Record) (t workflow.Change, save bool, err error)

// change reads, decides and saves, again from the start whenever another
// process was faster.
func (e *Engine) change(ctx context.Context, id string, decide decision) (workflow.Record, time.Time, error) {
	return e.changeOnce(ctx, id, "", "", decide)
}

// changeOnce is a change that a request id stands for: the same id twice is one
// change, and for another event it is a conflict.
func (e *Engine) changeOnce(ctx context.Context, id, request, event string, decide decision) (workflow.Record, time.Time, error) {
	for {
		rec, now, err := e.cfg.Store.Load(ctx, id)
		if err != nil {
			return rec, now, err
		}
		if request != "" {
			used, err := e.cfg.Store.Request(ctx, id, request)
			if err != nil || used == event {
				return rec, now, err
			}
			if used != "" {
				return rec, now, fmt.Errorf("%s: %w: the request id %q was used for %s", id, workflow.ErrConflict, request, used)
			}
		}
		c, err := e.context(ctx, rec, now)
		if err != nil {
			return rec, now, err
		}
		t, save, err := decide(c, rec)
		if err == nil && !save && request != "" {
			t, err = workflow.Touch(c, rec) // the request id is used up all the same
			save = true
		}
		if err != nil || !save {
			return rec, now, err
		}
		t.Request, t.Event = request, event
		applied, err := e.commit(ctx, t)
		if workflow.ClassOf(err) != workflow.Outrun {
			return applied, now, err
		}
		if err := ctx.Err(); err != nil {
			return rec, now, err
		}
	}
}

// context is what a decision about a record is given.
func (e *Engine) context(ctx context.Context, rec workflow.Record, now time.Time) (workflow.Context, error) {
	lc, err := e.lifecycle(ctx, rec.Lifecycle)
	if err != nil {
		return workflow.Context{}, err
	}
	c := workflow.Context{Lifecycle: lc, Now: now, Nonce: e.cfg.Nonce()}
	if rec.Repo == "" && hasCapacity(lc) {
		c.Repos, c.Roles, err = e.router.repos(ctx)
	}
	return c, err
}

func hasCapacity(lc *fsm.Lifecycle) bool {
	for _, name := range lc.States() {
		if s, _ := lc.State(name); s.Capacity > 0 {
			return true
		}
	}
	return false
}

// commit routes the job of a change, saves it and sends what it asks for.
func (e *Engine) commit(ctx context.Context, t workflow.Change) (workflow.Record, error) {
	if err := e.router.route(ctx, &t); err != nil {
		return workflow.Record{}, err
	}
	rec, err := e.cfg.Store.Apply(ctx, t)
	for range 2 { // an unknown outcome: the same token once more is answered as the first time
		if workflow.ClassOf(err) != workflow.Unreachable {
			break
		}
		rec, err = e.cfg.Store.Apply(ctx, t)
	}
	if err != nil {
		return rec, err
	}
	if e.sender != nil && len(t.Outbox) > 0 {
		e.sender.Send(ctx, t.Outbox)
	}
	return rec, nil
}
