package agents_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/agents/exec"
	"github.com/prpflow/prpflow/tasks"
)

var errAway = errors.New("the store cannot be reached")

// engine answers as a test tells it, and tells what it was asked.
type engine struct {
	mu        sync.Mutex
	away      bool          // nothing is answered
	lossy     int           // so many claims are heard but not answered
	attempt   int           // of what is claimed; 0 = 1
	timeout   time.Duration // of what is claimed
	stale     map[string]bool
	verdict   tasks.Verdict
	claims    []tasks.Claim
	delivered []tasks.Delivery
	tried     chan struct{} // one per call that was not answered
	back      []tasks.Run
	logs      map[string]string
}

func (e *engine) down() error {
	if !e.away {
		return nil
	}
	select {
	case e.tried <- struct{}{}:
	default:
	}
	return errAway
}

func (e *engine) do(f func()) { e.mu.Lock(); defer e.mu.Unlock(); f() }

func (e *engine) Claim(_ context.Context, c tasks.Claim) (tasks.Assignment, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.down(); err != nil {
		return tasks.Assignment{}, err
	}
	e.claims = append(e.claims, c)
	if e.lossy > 0 {
		e.lossy--
		return tasks.Assignment{}, errAway
	}
	if e.stale[c.PRP] {
		return tasks.Assignment{}, fmt.Errorf("%s: %w", c.PRP, tasks.ErrStale)
	}
	return tasks.Assignment{
		Job:     tasks.Job{ID: c.Job, PRP: c.PRP, Fence: c.Fence, Type: c.Type, Timeout: e.timeout},
		Attempt: max(e.attempt, 1),
	}, nil
}

func (e *engine) Deliver(_ context.Context, d tasks.Delivery) (tasks.Verdict, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.down(); err != nil {
		return tasks.Verdict{}, err
	}
	if e.stale[d.PRP] {
		return tasks.Verdict{}, fmt.Errorf("%s: %w", d.PRP, tasks.ErrStale)
	}
	e.delivered = append(e.delivered, d)
	return e.verdict, nil
}

func (e *engine) HandBack(_ context.Context, run tasks.Run, _ string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.back = append(e.back, run)
	return e.down()
}

func (e *engine) Current(_ context.Context, runs []tasks.Run) (stale []tasks.Run, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, run := range runs {
		if e.stale[run.PRP] {
			stale = append(stale, run)
		}
	}
	return stale, e.down()
}

func (e *engine) PutLog(_ context.Context, run tasks.Run, text string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.logs[run.ID] = text
	return e.down()
}

// house is a runtime with one agent, and the world around it.
type house struct {
	*agents.Runtime
	t      *testing.T
	engine *engine
	config agents.Config
}

func open(t *testing.T, change func(*agents.Config)) *house {
	t.Helper()
	h := &house{t: t, engine: &engine{stale: map[string]bool{}, logs: map[string]string{}, tried: make(chan struct{}, 1)}}
	h.config = agents.Config{
		Engine: h.engine, Adapter: exec.Adapter{}, StateDir: t.TempDir(), StoreID: "store", Beat: 20 * time.Millisecond,
		Process: tasks.Process{Incarnation: "host:1:" + strings.ToLower(t.Name())[:8]},
	}
	change(&h.config)
	var err error
	if h.Runtime, err = agents.NewRuntime(h.config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Drain(context.Background()) })
	return h
}

// with makes the one agent of a Go function.
func with(f agents.HandlerFunc) func(*agents.Config) {
	return func(c *agents.Config) {
		c.Specs = []agents.Spec{{Name: "dev-1", Role: "developer", Handler: f}}
	}
}

// script makes it of a shell script; $D is a folder for what it writes.
func script(dir, text string) func(*agents.Config) {
	return func(c *agents.Config) {
		c.Specs = []agents.Spec{{Name: "dev-1", Role: "developer", Exec: &agents.Exec{
			Command: []string{"/bin/sh", "-c", text}, Env: map[string]string{"D": dir},
		}}}
	}
}

// order gives the order of a job of a PRP.
func order(prp string) tasks.Order {
	return tasks.Job{ID: prp + ":1:x", PRP: prp, Fence: 1, Type: "prp.develop"}.Order()
}

// begin hands an order out as the broker does.
func (h *house) begin(ctx context.Context, prp string) <-chan error {
	c := make(chan error, 1)
	go func() { c <- h.Handle("dev-1")(ctx, order(prp)) }()
	return c
}

func (h *house) beat() {
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Run(ctx) }()
	h.t.Cleanup(func() { cancel(); <-done })
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

func written(path string) func() bool {
	return func() bool {
		b, err := os.ReadFile(path)
		return err == nil && strings.HasSuffix(string(b), "\n")
	}
}

func done(context.Context, agents.Task) tasks.Result { return tasks.Result{Outcome: tasks.Done} }

// folders lists what is left in the state folder of a store.
func folders(t *testing.T, c agents.Config) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(c.StateDir, c.StoreID, "*", "*", "delivery.json"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestRunIsClaimedCarriedOutAndDelivered(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *agents.Config) {
		c.Specs = []agents.Spec{{Name: "dev-1", Role: "developer", Builtin: "approve"}}
	})
	if err := <-h.begin(t.Context(), "PRP-1"); err != nil {
		t.Fatal(err)
	}
	d := h.engine.delivered[0]
	if d.Job != "PRP-1:1:x" || d.Fence != 1 || d.Agent != "dev-1" || d.Incarnation == "" || len(d.ID) < 8 || d.Result.Evidence["coverage_pct"] != 100 {
		t.Errorf("delivered %+v", d)
	}
	if c := h.engine.claims[0]; c.Run != d.Run {
		t.Errorf("claimed as %+v, delivered as %+v", c.Run, d.Run)
	}
	if !strings.Contains(h.engine.logs[d.ID], "approve: prp.develop of PRP-1") {
		t.Errorf("the log is %q", h.engine.logs[d.ID])
	}
	if left := folders(t, h.config); len(left) != 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestStaleOrderIsDroppedUnrun(t *testing.T) {
	t.Parallel()
	h := open(t, with(func(context.Context, agents.Task) tasks.Result { t.Error("it runs"); return tasks.Result{} }))
	h.engine.stale["PRP-1"] = true
	if err := <-h.begin(t.Context(), "PRP-1"); !errors.Is(err, tasks.ErrStale) {
		t.Errorf("got %v", err)
	}
}

func TestClaimThatWasNotAnsweredIsRepeatedAsItWas(t *testing.T) {
	t.Parallel()
	h := open(t, with(done))
	h.engine.lossy = 3
	if err := <-h.begin(t.Context(), "PRP-1"); err != nil {
		t.Fatal(err)
	}
	for _, c := range h.engine.claims {
		if c.Run != h.engine.claims[0].Run || len(c.InHand) != 1 {
			t.Errorf("the claim changes: %+v", c)
		}
	}
	if n := len(h.engine.claims); n != 4 {
		t.Errorf("%d claims", n)
	}
}

func TestRunOutlivesTheBrokersContextAndIsAttachedToAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, runOutlivesTheBrokersContext)
}

func runOutlivesTheBrokersContext(t *testing.T) {
	release, runs := make(chan struct{}), make(chan struct{}, 2)
	h := open(t, with(func(ctx context.Context, _ agents.Task) tasks.Result {
		runs <- struct{}{}
		select {
		case <-release:
			return tasks.Result{Outcome: tasks.Done}
		case <-ctx.Done():
			return tasks.Result{}
		}
	}))
	ctx, cancel := context.WithCancel(t.Context())
	first := h.begin(ctx, "PRP-1")
	<-runs
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	second := h.begin(t.Context(), "PRP-1") // the broker hands it out again
	synctest.Wait()
	close(release)
	if err := <-second; err != nil {
		t.Fatal(err)
	}
	if len(runs) != 0 || len(h.engine.claims) != 1 || len(h.engine.delivered) != 1 {
		t.Errorf("%d more runs, %d claims, %d results", len(runs), len(h.engine.claims), len(h.engine.delivered))
	}
}

func TestAgentRunsNoMoreThanItsConcurrency(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now, most := 0, 0
	release := make(chan struct{})
	h := open(t, func(c *agents.Config) {
		with(func(context.Context, agents.Task) tasks.Result {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			<-release
			mu.Lock()
			now--
			mu.Unlock()
			return tasks.Result{Outcome: tasks.Done}
		})(c)
		c.Specs[0].Concurrency = 2
	})
	var ends []<-chan error
	for i := range 6 {
		ends = append(ends, h.begin(t.Context(), fmt.Sprintf("PRP-%d", i)))
	}
	eventually(t, "two runs", func() bool { mu.Lock(); defer mu.Unlock(); return now == 2 })
	close(release)
	for _, end := range ends {
		if err := <-end; err != nil {
			t.Error(err)
		}
	}
	if most != 2 || len(h.engine.delivered) != 6 {
		t.Errorf("%d at a time, %d results", most, len(h.engine.delivered))
	}
}

func TestPanicAndSilenceOfAHandlerAreFailures(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]agents.HandlerFunc{
		"panicked: oh":     func(context.Context, agents.Task) tasks.Result { panic("oh") },
		"without a result": func(context.Context, agents.Task) tasks.Result { return tasks.Result{} },
		"unknown outcome":  func(context.Context, agents.Task) tasks.Result { return tasks.Result{Outcome: "great"} },
	} {
		h := open(t, with(f))
		<-h.begin(t.Context(), "PRP-1")
		if r := h.engine.delivered[0].Result; r.Outcome != tasks.Failed || !strings.Contains(r.Reasons[0], want) {
			t.Errorf("want %q, got %+v", want, r)
		}
	}
}

func TestVerdictIsToldToTheBroker(t *testing.T) {
	t.Parallel()
	for _, v := range []tasks.Verdict{{}, {After: time.Minute, Reason: "again"}, {Failed: true, Reason: "given up"}} {
		h := open(t, with(done))
		h.engine.verdict = v
		err := <-h.begin(t.Context(), "PRP-1")
		var later *tasks.RetryAfterError
		var permanent *tasks.PermanentError
		if errors.As(err, &later) != (v.After > 0) || errors.As(err, &permanent) != v.Failed || (later != nil && later.After != v.After) {
			t.Errorf("%+v became %v", v, err)
		}
	}
}

func TestResultIsOfferedUntilTheStoreAnswers(t *testing.T) {
	t.Parallel()
	var h *house
	h = open(t, with(func(context.Context, agents.Task) tasks.Result {
		h.engine.do(func() { h.engine.away = true })
		return tasks.Result{Outcome: tasks.Done}
	}))
	end := h.begin(t.Context(), "PRP-1")
	for range 2 {
		<-h.engine.tried
	}
	if len(folders(t, h.config)) != 1 {
		t.Error("the result is not on disk while it waits")
	}
	h.engine.do(func() { h.engine.away = false })
	if err := <-end; err != nil || len(h.engine.delivered) != 1 || len(folders(t, h.config)) != 0 {
		t.Errorf("%v, %d results", err, len(h.engine.delivered))
	}
}
