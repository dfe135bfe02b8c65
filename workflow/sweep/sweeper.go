package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
)

// Store is what a sweeper needs of a store.
type Store interface {
	workflow.Records
	workflow.Watched
	workflow.Leases
	workflow.Outbox
}

// Config is what a Sweeper is made of. All but Log and Clock is required.
type Config struct {
	Engine   *engine.Engine
	Store    Store
	Broker   workflow.Broker
	Registry workflow.Registry
	Self     string       // incarnation of this process
	Log      *slog.Logger // nil: nothing is logged
	// Clock bounds how long a duty works at a time; nil: time.Now. What decides is
	// the store's clock and the registry's.
	Clock func() time.Time
}

// Sweeper watches for everybody while it leads, and is ready to lead else.
type Sweeper struct {
	cfg      Config
	detector Detector
	told     told

	mu   sync.Mutex
	view view

	buried map[string]time.Time // process that was forgotten -> its last heartbeat then
	queues queueWatch
	audit  auditor
	scan   scanner
}

// New makes a sweeper.
func New(cfg Config) (*Sweeper, error) {
	if cfg.Engine == nil || cfg.Store == nil || cfg.Broker == nil || cfg.Registry == nil || cfg.Self == "" {
		return nil, errors.New("sweep: engine, store, broker, registry and the incarnation are required")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	cfg.Broker, cfg.Registry = workflow.Reached(cfg.Broker, cfg.Registry)
	return &Sweeper{cfg: cfg}, nil
}

// Duty is something that is done again and again. A duty is not safe for
// concurrent use with itself, and does not wait for the others.
type Duty struct {
	Name  string
	Every time.Duration
	Do    func(ctx context.Context) error
}

// Duties lists what a sweeper does. All but the first do nothing while another
// process leads.
func (s *Sweeper) Duties() []Duty {
	return []Duty{
		{"watch", 500 * time.Millisecond, s.watch},
		{"bury", 500 * time.Millisecond, s.leading(s.bury)},
		{"looks", 500 * time.Millisecond, s.leading(s.looks)},
		{"queues", 2 * time.Second, s.leading(s.balance)},
		{"audit", time.Second, s.leading(s.auditJobs)},
		{"leases", 3 * time.Second, s.leading(s.leases)},
		{"scan", time.Second, s.leading(s.scanRecords)},
		{"outbox", 3 * time.Second, s.leading(s.reap)},
	}
}

// Run does all duties until ctx ends. A failure is logged once, not each time.
func (s *Sweeper) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, d := range s.Duties() {
		wg.Go(func() { s.repeat(ctx, d) })
	}
	wg.Wait()
}

func (s *Sweeper) repeat(ctx context.Context, d Duty) {
	tick := time.NewTicker(d.Every)
	defer tick.Stop()
	said := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := d.Do(ctx)
		switch {
		case err == nil:
			said = ""
		case ctx.Err() == nil && err.Error() != said:
			said = err.Error()
			s.cfg.Log.Warn("sweep: "+d.Name, "err", err)
		}
	}
}

// Leads says whether this process is the one that sweeps.
func (s *Sweeper) Leads() bool { return s.seen().leads }

// seen is the last view of the processes.
func (s *Sweeper) seen() view {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view
}

func (s *Sweeper) leading(do func(ctx context.Context, v view) error) func(context.Context) error {
	return func(ctx context.Context) error {
		v := s.seen()
		if !v.leads || s.cfg.Clock().Sub(v.at) > leadFor {
			return nil // the lead has lapsed, as in a process that stood still
		}
		return do(ctx, v)
	}
}

// turn is how long a duty works at a time, before it looks at the world again.
const turn = 2 * time.Second

// over says whether a turn that began then has come to its end.
func (s *Sweeper) over(began time.Time) bool { return s.cfg.Clock().Sub(began) >= turn }

// each does something about every item of a plan. What is wrong with one is told
// of it alone; only a store that cannot be reached ends the turn.
func (s *Sweeper) each(ctx context.Context, ids []string, do func(i int) error) error {
	var away error
	for i, err := range s.cfg.Engine.Each(ctx, len(ids), do) {
		switch {
		case err == nil, errors.Is(err, workflow.ErrNotFound):
		case workflow.ClassOf(err) == workflow.Unreachable, ctx.Err() != nil:
			away = err
		default:
			s.cry(ids[i], err)
		}
	}
	return away
}

// told remembers what was said of records that cannot be worked on, and when
// they are looked at again.
type told struct {
	mu  sync.Mutex
	ids map[string]trouble
}

type trouble struct {
	says  string
	again time.Duration
}

// How long a record that cannot be worked on is left alone.
const (
	firstAgain   = 10 * time.Second
	longestAgain = 10 * time.Minute
	mostTold     = 10_000
)

// cry says what is wrong with a record, once for each cause, and answers how long
// to leave it alone.
func (s *Sweeper) cry(id string, err error) time.Duration {
	t := &s.told
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ids == nil || len(t.ids) >= mostTold {
		t.ids = map[string]trouble{}
	}
	known := t.ids[id]
	if known.says != err.Error() {
		s.cfg.Log.Error("a PRP cannot be worked on, it is left alone for a while", "prp", id, "err", err)
		known = trouble{says: err.Error()}
	}
	known.again = min(max(2*known.again, firstAgain), longestAgain)
	t.ids[id] = known
	return known.again
}

// calm forgets what was wrong with a record that has been worked on.
func (s *Sweeper) calm(id string) {
	s.told.mu.Lock()
	defer s.told.mu.Unlock()
	delete(s.told.ids, id)
}

// named adds what was done to an error.
func named(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
