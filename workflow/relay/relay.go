package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// Broker is where tasks go.
type Broker interface {
	Enqueue(ctx context.Context, j tasks.Job) error
	Remove(ctx context.Context, queue, job string) error
}

// Inbox is where messages go. A message of an id that is there already is one
// message.
type Inbox interface {
	Put(ctx context.Context, id, from, to, text, priority string) error
}

// Engine is what an outbox entry may ask of the engine.
type Engine interface {
	LookAtDependants(ctx context.Context, dep, after string) (next string, err error)
	Acquire(ctx context.Context, prp, lease, member string, capacity int) error
	Release(ctx context.Context, lease, member string, capacity int) error
}

// Config is what a relay is made of; all but the times and Log is required.
type Config struct {
	Outbox workflow.Outbox
	Engine Engine
	Broker Broker
	Inbox  Inbox
	Log    *slog.Logger
	Wait   time.Duration // longest wait for an entry; 0 = 5 s
	Again  time.Duration // between two tries of what could not be sent; 0 = 1 s
}

// Relay sends outbox entries.
type Relay struct {
	Config
	known   map[string]sender // by kind
	unknown sync.Map          // kinds that were told of
	takes   atomic.Int64      // unix nanoseconds of the last sign of life of Take
	told    atomic.Int64      // and of the last warning
}

// New makes a relay.
func New(cfg Config) (*Relay, error) {
	if cfg.Outbox == nil || cfg.Engine == nil || cfg.Broker == nil || cfg.Inbox == nil {
		return nil, errors.New("relay: outbox, engine, broker and inbox are required")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Wait <= 0 {
		cfg.Wait = 5 * time.Second
	}
	if cfg.Again <= 0 {
		cfg.Again = time.Second
	}
	r := &Relay{Config: cfg}
	r.known = r.senders()
	return r, nil
}

// Send sends the entries of a change that this process has just committed. What
// fails stays in this process' list, for Resend.
func (r *Relay) Send(ctx context.Context, entries []workflow.OutboxEntry) {
	for _, e := range entries {
		if err := r.Do(ctx, e); err != nil {
			r.tell(err)
		}
	}
}

// Do sends one entry and takes it off the outbox. One whose kind this program does
// not know is left there, for a process that does.
func (r *Relay) Do(ctx context.Context, e workflow.OutboxEntry) error {
	if e.Kind == workflow.SendLook {
		next, err := r.Engine.LookAtDependants(ctx, e.PRP, e.After)
		if err != nil {
			return fmt.Errorf("relay: %s: %w", e.PRP, err)
		}
		if next != "" { // the next chunk queues up behind what others want sent
			again := e
			first, _, _ := strings.Cut(e.ID, ">")
			again.After, again.ID = next, first+">"+next
			return r.Outbox.Requeue(ctx, e, again)
		}
		return r.Outbox.Ack(ctx, e)
	}
	send, known := r.known[e.Kind]
	if !known {
		return r.park(ctx, e)
	}
	if err := send(ctx, e); err != nil {
		return fmt.Errorf("relay: %s of %s: %w", e.Kind, e.PRP, err)
	}
	return r.Outbox.Ack(ctx, e)
}

// sender sends entries of one kind.
type sender func(ctx context.Context, e workflow.OutboxEntry) error

// senders are how each kind is sent that is done with once it was sent; SendLook
// is the one that may go on.
func (r *Relay) senders() map[string]sender {
	return map[string]sender{
		workflow.SendTask: func(ctx context.Context, e workflow.OutboxEntry) error {
			if e.Task == nil {
				return nil
			}
			return r.Broker.Enqueue(ctx, *e.Task)
		},
		workflow.SendRemove: func(ctx context.Context, e workflow.OutboxEntry) error {
			return r.Broker.Remove(ctx, e.Queue, e.Job)
		},
		workflow.SendMessage: func(ctx context.Context, e workflow.OutboxEntry) error {
			priority := "normal"
			if e.Urgent {
				priority = "high"
			}
			return r.Inbox.Put(ctx, e.ID, workflow.ActorEngine, e.To, e.Text, priority)
		},
		workflow.SendAcquire: func(ctx context.Context, e workflow.OutboxEntry) error {
			return r.Engine.Acquire(ctx, e.PRP, e.Lease, e.Member, e.Capacity)
		},
		workflow.SendRelease: func(ctx context.Context, e workflow.OutboxEntry) error {
			return r.Engine.Release(ctx, e.Lease, e.Member, e.Capacity)
		},
	}
}

// park leaves an entry of an unknown kind for a newer process. In this process'
// list it would stay for ever, and in the shared one it would come back.
func (r *Relay) park(ctx context.Context, e workflow.OutboxEntry) error {
	if _, told := r.unknown.LoadOrStore(e.Kind, true); !told {
		r.Log.Warn("outbox entries of an unknown kind are left for a newer prpflow, which must run to send them", "kind", e.Kind, "prp", e.PRP)
	}
	return r.Outbox.Park(ctx, e)
}

// adopt takes over what others left because they do not know its kind.
func (r *Relay) adopt(ctx context.Context) {
	kinds := slices.Sorted(maps.Keys(r.known))
	if err := r.Outbox.Adopt(ctx, append(kinds, workflow.SendLook)); err != nil && ctx.Err() == nil {
		r.tell(err)
	}
}

// Take sends what short-lived and dead processes have left in the shared lists,
// until ctx ends.
func (r *Relay) Take(ctx context.Context) {
	wait := min(r.Wait, firstWait)
	for ctx.Err() == nil {
		if _, err := r.TakeOne(ctx, wait); err != nil && ctx.Err() == nil {
			r.tell(err)
			pause(ctx, r.Again)
		}
		wait = r.Wait
	}
}

// firstWait is short, so that a relay that begins with an empty outbox is known
// to be alive at once.
const firstWait = 50 * time.Millisecond

// TakeOne sends the next entry of the shared lists, if one comes within wait.
func (r *Relay) TakeOne(ctx context.Context, wait time.Duration) (took bool, err error) {
	e, ok, err := r.Outbox.Receive(ctx, wait)
	if err != nil {
		return false, err
	}
	r.takes.Store(time.Now().UnixNano())
	if !ok {
		return false, nil
	}
	return true, r.Do(ctx, e)
}

// Alive says whether Take has heard of the outbox lately.
func (r *Relay) Alive() bool {
	return time.Since(time.Unix(0, r.takes.Load())) < 2*r.Wait+2*r.Again
}

// adoptEvery is how often a relay looks for what others have left for it.
const adoptEvery = 5 * time.Second

// Resend tries again what this process took or committed and could not send, and
// sends what others did not know how to, until ctx ends.
func (r *Relay) Resend(ctx context.Context) {
	var before map[string]bool
	for next := time.Now(); ctx.Err() == nil; {
		if now := time.Now(); !now.Before(next) {
			r.adopt(ctx)
			next = now.Add(adoptEvery)
		}
		pause(ctx, r.Again)
		before = r.ResendSeen(ctx, before)
	}
}

// ResendSeen tries what was in this process' list at the look before: an entry
// that is being sent just now is left alone. It answers what the next look is to
// be given.
func (r *Relay) ResendSeen(ctx context.Context, before map[string]bool) map[string]bool {
	mine, err := r.Outbox.Mine(ctx)
	if err != nil {
		return before
	}
	now := make(map[string]bool, len(mine))
	for _, e := range mine {
		if !before[e.ID] {
			now[e.ID] = true
			continue
		}
		if err := r.Do(ctx, e); err != nil {
			now[e.ID] = true
			r.tell(err)
		}
	}
	return now
}

// Run takes and resends until ctx ends.
func (r *Relay) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { r.Take(ctx) })
	wg.Go(func() { r.Resend(ctx) })
	wg.Wait()
}

// tell warns of what cannot be sent, at most once a minute: while Redis is away
// that is everything.
func (r *Relay) tell(err error) {
	now, last := time.Now().UnixNano(), r.told.Load()
	if time.Duration(now-last) >= time.Minute && r.told.CompareAndSwap(last, now) {
		r.Log.Warn("something in the outbox is not sent yet, trying again", "err", err)
		return
	}
	r.Log.Debug("not sent yet", "err", err)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
