package dashboards

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/hibiken/asynq"
	"github.com/hibiken/asynqmon"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/agents/mode"
	"github.com/prpflow/prpflow/agents/registry"
	"github.com/prpflow/prpflow/agents/scale"
	"github.com/prpflow/prpflow/internal/access"
	"github.com/prpflow/prpflow/tasks/broker"
	"github.com/prpflow/prpflow/workflow"
)

// PRPs is what the pages ask the engine.
type PRPs interface {
	List(ctx context.Context) ([]workflow.View, error)
}

// Counters is what the metrics ask the store.
type Counters interface {
	Counts(ctx context.Context) (states, events map[string]int64, err error)
	DeadLetters(ctx context.Context) ([]workflow.DeadLetter, error)
	OutboxLag(ctx context.Context) (time.Duration, error)
}

// Queues is what they ask the broker.
type Queues interface {
	Infos(ctx context.Context) ([]broker.QueueInfo, error)
	SlowedScripts() uint64
}

// Agents is what they ask the registry.
type Agents interface {
	Agents(ctx context.Context) ([]registry.Agent, time.Time, error)
}

// Inboxes is what they ask the inboxes.
type Inboxes interface {
	Overviews(ctx context.Context) ([]inbox.Overview, error)
	Dead(ctx context.Context) ([]inbox.Dead, error)
}

// Post is what the process itself knows of the messages' ways.
type Post struct {
	Mode          mode.Mode
	Bridge        bool // the bus is heard
	BridgeLag     time.Duration
	BridgeDropped int64
	Spooled       int
	SpoolBytes    int64
	SpoolOldest   time.Duration
	Alerts        []Alert
	Scale         []scale.Wish
}

// Config of the pages. All but the switches is required.
type Config struct {
	// Redis is for asynqmon. Dial makes further clients for the same, which asynqmon
	// closes: it asks for the type of what it gets, and shows nothing of a Redis whose
	// client is wrapped. Nil: it gets Redis, wrapped.
	Redis    redis.UniversalClient
	Dial     func() (redis.UniversalClient, error)
	PRPs     PRPs
	Counters Counters
	Queues   Queues
	Agents   Agents
	Inboxes  Inboxes
	// Post tells of the messages' ways and of what is wrong.
	Post func(ctx context.Context) (Post, error)
	// Ready says what keeps the process from doing its work, nil for nothing.
	Ready func(ctx context.Context) error

	// AsynqmonWrite lets asynqmon change queues and tasks.
	AsynqmonWrite bool
	// Access says who may ask for what.
	Access access.Config
}

// Handler serves the pages.
type Handler struct {
	http.Handler
	monitor *asynqmon.HTTPHandler
}

// New makes the pages.
func New(cfg Config) (*Handler, error) {
	if cfg.Redis == nil || cfg.PRPs == nil || cfg.Counters == nil || cfg.Queues == nil || cfg.Agents == nil || cfg.Inboxes == nil || cfg.Post == nil || cfg.Ready == nil {
		return nil, errors.New("dashboards: the configuration is incomplete")
	}
	metrics := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		newCollector(cfg), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := metrics.Register(c); err != nil {
			return nil, fmt.Errorf("dashboards: metrics: %w", err)
		}
	}
	conn, err := connect(cfg)
	if err != nil {
		return nil, err
	}
	monitor := asynqmon.New(asynqmon.Options{
		RootPath: "/asynqmon", RedisConnOpt: conn, ReadOnly: !cfg.AsynqmonWrite,
		PayloadFormatter: asynqmon.PayloadFormatterFunc(readable), ResultFormatter: asynqmon.ResultFormatterFunc(readable),
	})
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", page(cfg))
	mux.Handle("/asynqmon/", monitor)
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := cfg.Ready(ctx); err != nil {
			http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	cfg.Access.Open = []string{"/healthz", "/readyz"}
	return &Handler{access.New(cfg.Access).Wrap(mux), monitor}, nil
}

// Close ends what asynqmon keeps open. The client stays the caller's.
func (h *Handler) Close() error { return h.monitor.Close() }

// connection gives asynqmon its clients: its own, or ours, which it must not close.
type connection struct {
	rdb redis.UniversalClient
	own chan redis.UniversalClient // nil: it has none of its own
}

// monitorClients is how many clients asynqmon makes.
const monitorClients = 2

func connect(cfg Config) (connection, error) {
	c := connection{rdb: cfg.Redis}
	if cfg.Dial == nil {
		return c, nil
	}
	c.own = make(chan redis.UniversalClient, monitorClients)
	for range monitorClients {
		one, err := cfg.Dial()
		if err != nil {
			return c, fmt.Errorf("dashboards: asynqmon: %w", err)
		}
		c.own <- one
	}
	return c, nil
}

// MakeRedisClient is asynq.RedisConnOpt.
func (c connection) MakeRedisClient() any {
	select {
	case one := <-c.own:
		return one
	default:
		return kept{c.rdb}
	}
}

var _ asynq.RedisConnOpt = connection{}

// kept is a client that outlives whoever closes it.
type kept struct{ redis.UniversalClient }

func (kept) Close() error { return nil }

// readable shows payloads and results, which are JSON, and nothing else.
func readable(_ string, b []byte) string {
	if json.Valid(b) {
		return string(b)
	}
	return fmt.Sprintf("(%d bytes)", len(b))
}
