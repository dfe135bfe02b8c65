package workflow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
)

// Broker carries the tasks of jobs to agents. Every method may be repeated.
type Broker interface {
	Enqueue(ctx context.Context, j tasks.Job) error // an id that is there already is success
	State(ctx context.Context, queue, job string) (tasks.TaskState, error)
	Remove(ctx context.Context, queue, job string) error // absent is success
	List(ctx context.Context, queue string, in tasks.TaskState, limit int) ([]string, error)
	Waiting(ctx context.Context, queues []string) (map[string]int64, error)
	PausedOf(ctx context.Context, queues []string) (map[string]bool, error)
}

// Registry knows which processes live and which agents they have.
type Registry interface {
	Processes(ctx context.Context) ([]tasks.Process, time.Time, error)
	// Forget drops a process whose work has been given to others.
	Forget(ctx context.Context, incarnation string) error
}

// Sender sends the entries of a change at once, after it was saved. What it
// cannot send stays in the outbox.
type Sender interface {
	Send(ctx context.Context, entries []OutboxEntry)
}

// Config is what an engine is made of.
type Config struct {
	Store    Store
	Broker   Broker         // nil: the engine neither routes by depth nor sweeps
	Registry Registry       // nil: every job goes to its role's queue
	Nonce    func() string  // random text, short; required
	Active   *fsm.Lifecycle // for new PRPs; nil: the store's
	Log      *slog.Logger   // nil: nothing is logged
	// Sweeper names this process among those that sweep.
	Sweeper string
	// Clock is what the age of cached knowledge is measured by; nil: time.Now.
	// What decides is the store's clock.
	Clock func() time.Time
}

// Engine carries PRPs through their lifecycles. It may be used by many
// goroutines, and any number of engines may share a store.
type Engine struct {
	Config
	sender Sender
	router *router
	sweep  *watch

	mu         sync.Mutex
	lifecycles map[string]*fsm.Lifecycle
	specs      specs
}

// New makes an engine.
func New(cfg Config) (*Engine, error) {
	if cfg.Store == nil || cfg.Nonce == nil {
		return nil, errors.New("workflow: an engine needs a store and a source of nonces")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	e := &Engine{Config: cfg, lifecycles: map[string]*fsm.Lifecycle{}}
	e.router = &router{registry: cfg.Registry, broker: cfg.Broker, clock: cfg.Clock}
	e.sweep = newWatch()
	return e, nil
}

// SetSender makes a long-lived process send what it commits. Without one, the
// entries wait for a relay.
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
	} else if e.Active != nil && e.Active.Hash() == hash {
		lc = e.Active
	} else {
		source, err := e.Store.Lifecycle(ctx, hash)
		if err != nil {
			return nil, fmt.Errorf("workflow: lifecycle %.12s: %w", hash, err)
		}
		if lc, err = fsm.Parse("lifecycle "+hash[:min(12, len(hash))], source); err != nil {
			return nil, fmt.Errorf("workflow: stored lifecycle: %w", err)
		}
	}
	e.mu.Lock()
	e.lifecycles[hash] = lc
	e.mu.Unlock()
	return lc, nil
}

// decision is one of the pure functions of this package, closed over its
// input. ok is false where there is nothing to save.
type decision func(c Context, rec Record) (t Transition, ok bool, err error)

// change reads, decides and saves, again from the start whenever somebody else
// was faster.
func (e *Engine) change(ctx context.Context, id string, request, event string, decide decision) (Record, time.Time, error) {
	for {
		rec, now, err := e.load(ctx, id)
		if err != nil {
			return rec, now, err
		}
		if request != "" {
			used, err := e.Store.Request(ctx, id, request)
			if err != nil {
				return rec, now, err
			}
			if used == event {
				return rec, now, nil
			}
			if used != "" {
				return rec, now, fmt.Errorf("%s: %w: the request id %q was used for %s", id, ErrConflict, request, used)
			}
		}
		lc, err := e.lifecycle(ctx, rec.Lifecycle)
		if err != nil {
			return rec, now, err
		}
		t, ok, err := decide(Context{Lifecycle: lc, Now: now, Nonce: e.Nonce()}, rec)
		if err != nil {
			return rec, now, err
		}
		if !ok {
			if request == "" {
				return rec, now, nil
			}
			t = newDraft(Context{Lifecycle: lc, Now: now, Nonce: e.Nonce()}, rec).done() // the request id is used up all the same
		}
		t.Request, t.Event = request, event
		applied, err := e.commit(ctx, t)
		if errors.Is(err, ErrChanged) {
			if err := ctx.Err(); err != nil {
				return rec, now, err
			}
			continue
		}
		if err != nil {
			return rec, now, err
		}
		return applied, now, nil
	}
}

func (e *Engine) load(ctx context.Context, id string) (Record, time.Time, error) {
	rec, now, err := e.Store.Load(ctx, id)
	if err != nil {
		return rec, now, err
	}
	if rec.Schema > SchemaVersion {
		return rec, now, fmt.Errorf("%s was written by a newer prpflow (schema %d, this one reads %d): upgrade this program", id, rec.Schema, SchemaVersion)
	}
	return rec, now, nil
}

// commit routes the jobs of a transition, saves it and sends what it asks for.
func (e *Engine) commit(ctx context.Context, t Transition) (Record, error) {
	if err := e.router.route(ctx, &t); err != nil {
		return Record{}, err
	}
	rec, err := e.Store.Apply(ctx, t)
	for range 2 { // an unknown outcome: the same token once more is answered as the first time
		if !errors.Is(err, ErrUnavailable) {
			break
		}
		rec, err = e.Store.Apply(ctx, t)
	}
	if err != nil {
		return rec, err
	}
	if e.sender != nil && len(t.Outbox) > 0 {
		e.sender.Send(ctx, t.Outbox)
	}
	return rec, nil
}
