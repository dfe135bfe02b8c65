package dashboards

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/prpflow/prpflow/agents/inbox"
	"github.com/prpflow/prpflow/agents/mode"
	"github.com/prpflow/prpflow/agents/registry"
	"github.com/prpflow/prpflow/agents/scale"
	"github.com/prpflow/prpflow/internal/access"
	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/reliable"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/tasks/broker"
	"github.com/prpflow/prpflow/workflow"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(redistest.Tests{M: m}, goleak.IgnoreCurrent())
}

// world is everything that the pages look at, made up.
type world struct {
	prps   []workflow.View
	fails  error
	notYet error
}

func (w *world) List(context.Context) ([]workflow.View, error) { return w.prps, w.fails }

func (w *world) Counts(context.Context) (states, events map[string]int64, err error) {
	return map[string]int64{"complete": 2, "failed": 1}, map[string]int64{"finish": 2}, w.fails
}

func (w *world) DeadLetters(context.Context) ([]workflow.DeadLetter, error) {
	return []workflow.DeadLetter{{ID: "d", PRP: "PRP-1", Queue: "agent:dev-1", Cause: workflow.CauseRetries, Reason: "no <compiler>", Attempt: 3}}, w.fails
}
func (w *world) OutboxLag(context.Context) (time.Duration, error) {
	return 1500 * time.Millisecond, w.fails
}

func (w *world) Infos(context.Context) ([]broker.QueueInfo, error) {
	return []broker.QueueInfo{{Name: "agent:dev-1", Pending: 3, Oldest: time.Now().Add(-time.Minute)}, {Name: "agent:dev-1:p0"}, {Name: "role:developer", Paused: true}}, w.fails
}
func (w *world) SlowedScripts() uint64 { return 7 }

func (w *world) Agents(context.Context) ([]registry.Agent, time.Time, error) {
	now := time.Now()
	return []registry.Agent{
		{Agent: tasks.Agent{Name: "dev-1", Role: "developer", Running: 1}, Host: "<host>"},
		{Agent: tasks.Agent{Name: "dev-2", Role: "developer", LimitedUntil: now.Add(time.Hour)}},
	}, now, w.fails
}

func (w *world) Overviews(context.Context) ([]inbox.Overview, error) {
	return []inbox.Overview{{
		Name: "orchestrator", Depth: reliable.Depth{Waiting: 4, Taken: 1, Dead: 1, Oldest: time.Minute},
		Books: reliable.Books{Pushed: 9, Done: 2, Dead: 1, Waiting: 4, Taken: 1, Failed: 3, Waits: reliable.Waits{10: 7}},
	}}, w.fails
}

func (w *world) Dead(context.Context) ([]inbox.Dead, error) {
	return []inbox.Dead{{Message: inbox.Message{ID: "m1", From: "<from>", To: "orchestrator", Attempt: 5}, Reason: "no <reader>", At: time.Now()}}, w.fails
}

func (w *world) post(context.Context) (Post, error) {
	return Post{
		Mode: mode.Dual, Bridge: true, BridgeLag: time.Second, BridgeDropped: 2, Spooled: 3, SpoolBytes: 400, SpoolOldest: time.Minute,
		Alerts: []Alert{{Name: AlertBooks, Subject: "inbox:orchestrator", Text: "<missing>", Since: time.Now()}},
		Scale:  []scale.Wish{{Role: "developer", Desired: 4, Service: 90}},
	}, w.fails
}

func handler(t *testing.T, w *world, rdb redis.UniversalClient, change func(*Config)) http.Handler {
	t.Helper()
	cfg := Config{Redis: rdb, PRPs: w, Counters: w, Queues: w, Agents: w, Inboxes: w, Post: w.post, Ready: func(context.Context) error { return w.notYet },
		Access: access.Config{Listen: "127.0.0.1:8080", Local: true}}
	if change != nil {
		change(&cfg)
	}
	h, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func get(h http.Handler, path string, change func(*http.Request)) (int, string, http.Header) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = "127.0.0.1:8080"
	if change != nil {
		change(r)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	body, _ := io.ReadAll(rec.Result().Body)
	return rec.Code, string(body), rec.Header()
}

func TestThePageShowsWhatThereIs(t *testing.T) {
	t.Parallel()
	w := &world{prps: []workflow.View{
		{ID: "PRP-2", State: "complete", Terminal: true, Success: true},
		{ID: "PRP-1", Title: "<script>alert(1)</script>", State: "validated", Why: "waiting for PRP-0"},
		{ID: "PRP-3", State: "development", Running: true, Agent: "dev-1"},
		{ID: "PRP-4", State: "failed", Failed: true, Paused: true},
	}}
	code, body, header := get(handler(t, w, redistest.Mini(t), nil), "/", nil)
	if code != http.StatusOK {
		t.Fatalf("%d: %s", code, body)
	}
	for _, want := range []string{"PRP-1", "waiting for PRP-0", "&lt;script&gt;", "dev-1", "limited until", "no &lt;compiler&gt;", "inbox:orchestrator", "&lt;from&gt;", "no &lt;reader&gt;", "&lt;missing&gt;", "mode dual", "&lt;host&gt;", "role:developer"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if strings.Contains(body, "<script>") || strings.Contains(body, "agent:dev-1:p0") {
		t.Error("the page holds a document's markup, or an empty queue")
	}
	if strings.Index(body, "PRP-3") > strings.Index(body, ">PRP-2<") {
		t.Error("what is done comes before what moves")
	}
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("policy %q", csp)
	}
	if strings.Count(body, "<caption>") < 4 || !strings.Contains(body, `lang="en"`) || !strings.Contains(body, `scope="col"`) {
		t.Error("screen readers are not told what the tables are")
	}
}

func TestAnEmptyPageSaysHowToBegin(t *testing.T) {
	t.Parallel()
	if code, body, _ := get(handler(t, &world{}, redistest.Mini(t), nil), "/", nil); code != http.StatusOK || !strings.Contains(body, "prpflow submit") {
		t.Errorf("%d: %s", code, body)
	}
}

func TestAStoreThatCannotBeReadIsSaid(t *testing.T) {
	t.Parallel()
	h := handler(t, &world{fails: errors.New("no answer"), notYet: errors.New("no answer")}, redistest.Mini(t), nil)
	for path, want := range map[string]int{"/": 503, "/readyz": 503, "/healthz": 200, "/metrics": 200, "/nothing": 404} {
		if code, body, _ := get(h, path, nil); code != want {
			t.Errorf("%s: %d, want %d: %s", path, code, want, body)
		}
	}
	if _, body, _ := get(h, "/metrics", nil); !strings.Contains(body, "prpflow_scrape_errors 6") {
		t.Errorf("the metrics do not say that they are incomplete: %s", body)
	}
}

func TestMetricsHaveTheNamesOfTheContract(t *testing.T) {
	t.Parallel()
	_, body, _ := get(handler(t, &world{}, redistest.Mini(t), nil), "/metrics", nil)
	for _, want := range []string{
		`prpflow_prps{state="complete"} 2`, `prpflow_transitions_total{event="finish"} 2`, `prpflow_queue_depth{lane="tasks",queue="agent:dev-1"} 3`,
		`prpflow_queue_depth{lane="messages",queue="inbox:orchestrator"} 4`, `prpflow_dead_letters{lane="tasks",reason="retries"} 1`,
		`prpflow_queue_oldest_seconds{lane="messages",queue="inbox:orchestrator"} 60`, `prpflow_queue_taken{lane="messages",queue="inbox:orchestrator"} 1`,
		`prpflow_messages_total{fate="done",queue="inbox:orchestrator"} 2`, `prpflow_messages_total{fate="failed",queue="inbox:orchestrator"} 3`,
		`prpflow_books_imbalance{queue="inbox:orchestrator"} 1`, `prpflow_dead_letters{lane="messages",reason="failed"} 1`,
		`prpflow_message_wait_seconds_count{queue="inbox:orchestrator"} 7`, `prpflow_spool_messages 3`, `prpflow_bridge_lag_seconds 1`,
		`prpflow_bridge_up 1`, `prpflow_mode{mode="dual"} 1`, `prpflow_alert{alert="books",subject="inbox:orchestrator"} 1`,
		`prpflow_agents_desired{role="developer"} 4`, `prpflow_outbox_lag_seconds 1.5`, `prpflow_agents{role="developer",state="busy"} 1`, `prpflow_agents{role="developer",state="limited"} 1`,
		`prpflow_queue_oldest_seconds{lane="tasks",queue="agent:dev-1"} 6`, `prpflow_unknown_scripts_total 7`, `go_goroutines`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestAsynqmonIsThereAndReadsOnly(t *testing.T) {
	t.Parallel()
	redistest.Each(t, func(t *testing.T, rdb redis.UniversalClient) {
		h := handler(t, &world{}, rdb, nil)
		if code, body, _ := get(h, "/asynqmon/", nil); code != 200 || !strings.Contains(strings.ToLower(body), "asynq") {
			t.Errorf("%d", code)
		}
		b, err := broker.New(broker.Config{Redis: rdb})
		if err != nil {
			t.Fatal(err)
		}
		queue := "agent:" + strings.ToLower(redistest.Name("q"))
		if err := b.EnsureQueues(t.Context(), queue); err != nil {
			t.Fatal(err)
		}
		job := tasks.Job{ID: tasks.NewJobID("PRP-1", 1, "x"), PRP: "PRP-1", Fence: 1, Type: "prp.develop", Role: "developer", Queue: queue}
		if err := b.Enqueue(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if code, body, _ := get(h, "/asynqmon/api/queues/"+queue+"/pending_tasks", nil); code != 200 || !strings.Contains(body, job.ID) || strings.Contains(body, "non-printable") {
			t.Errorf("%d: %s", code, body)
		}
		if code, _, _ := get(h, "/asynqmon/api/queues/"+queue+":pause", func(r *http.Request) { r.Method = http.MethodPost }); code != http.StatusMethodNotAllowed {
			t.Errorf("pausing: %d, want 405", code)
		}
		if err := rdb.Ping(t.Context()).Err(); err != nil {
			t.Error(err)
		}
	})
}

func TestPayloadsThatAreNoJSONAreCounted(t *testing.T) {
	t.Parallel()
	if got := readable("", []byte{0, 1, 2}); got != "(3 bytes)" {
		t.Errorf("shown as %q", got)
	}
}

func TestAnIncompleteConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := New(Config{}); err == nil {
		t.Error("accepted")
	}
}
