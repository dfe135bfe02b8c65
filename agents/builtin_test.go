package agents_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
)

// builtin runs a built-in agent once and gives what it delivered.
func builtin(t *testing.T, s agents.Spec, attempt int) tasks.Result {
	t.Helper()
	s.Name, s.Role = "dev-1", "developer"
	h := open(t, func(c *agents.Config) { c.Specs = []agents.Spec{s} })
	h.engine.attempt = attempt
	<-h.begin(t.Context(), "PRP-1")
	if len(h.engine.delivered) != 1 {
		t.Fatalf("%s delivered %+v", s.Builtin, h.engine.delivered)
	}
	return h.engine.delivered[0].Result
}

func TestBuiltinsDoWhatTheirNamesSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		attempt int
		want    tasks.Outcome
	}{
		{"approve", 1, tasks.Done}, {"reject-once", 1, tasks.Rejected}, {"reject-once", 2, tasks.Done}, {"fail", 1, tasks.Failed},
	} {
		r := builtin(t, agents.Spec{Builtin: c.name, Delay: time.Millisecond}, c.attempt)
		if r.Outcome != c.want || (r.Outcome == tasks.Done) != (r.Evidence != nil) || (r.Outcome == tasks.Done) == (len(r.Reasons) > 0) {
			t.Errorf("%s, attempt %d: %+v", c.name, c.attempt, r)
		}
	}
}

func TestSleepTakesAMinuteAndStopsWhenItIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if r := builtin(t, agents.Spec{Builtin: "sleep"}, 1); r.Outcome != tasks.Done || time.Since(began) < time.Minute || time.Since(began) > 2*time.Minute {
			t.Errorf("after %s: %+v", time.Since(began), r)
		}
	})
	h := open(t, func(c *agents.Config) {
		c.Specs = []agents.Spec{{Name: "dev-1", Role: "developer", Builtin: "sleep"}}
	})
	end := h.begin(t.Context(), "PRP-1")
	eventually(t, "the claim", func() (claimed bool) { h.engine.do(func() { claimed = len(h.engine.claims) == 1 }); return claimed })
	if err := h.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-end; err == nil || len(h.engine.delivered) != 0 {
		t.Errorf("got %v, delivered %+v", err, h.engine.delivered)
	}
}

func TestRuntimeRefusesWhatItCannotRun(t *testing.T) {
	t.Parallel()
	base := func() agents.Config {
		return agents.Config{
			Engine: &engine{}, StateDir: t.TempDir(), StoreID: "store", Process: tasks.Process{Incarnation: "h:1:x"},
			Specs: []agents.Spec{{Name: "a", Role: "r", Builtin: "approve"}},
		}
	}
	for want, change := range map[string]func(*agents.Config){
		"needs an engine":            func(c *agents.Config) { c.Engine = nil },
		"a store id":                 func(c *agents.Config) { c.StoreID = "" },
		"agent name":                 func(c *agents.Config) { c.Specs[0].Name = "A B" },
		"concurrency -1":             func(c *agents.Config) { c.Specs[0].Concurrency = -1 },
		"agent a is defined twice":   func(c *agents.Config) { c.Specs = append(c.Specs, c.Specs[0]) },
		"runs no commands":           func(c *agents.Config) { c.Specs[0].Builtin, c.Specs[0].Exec = "", &agents.Exec{Command: []string{"x"}} },
		"the state folder /dev/null": func(c *agents.Config) { c.StateDir = "/dev/null" },
	} {
		c := base()
		change(&c)
		if _, err := agents.NewRuntime(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	c := base()
	c.StoreID = ".." // what Redis says is no path
	r, err := agents.NewRuntime(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agents.NewRuntime(c); err == nil || !strings.Contains(err.Error(), "locked by another process") {
		t.Errorf("a second runtime of the incarnation: %v", err)
	}
	if found, _ := filepath.Glob(filepath.Join(c.StateDir, "_", "h:1:x")); len(found) != 1 {
		t.Error("the folder is not below the state folder")
	}
	if err := r.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	var later *tasks.RetryAfterError
	if err := r.Handle("nobody")(t.Context(), order("PRP-1")); !errors.As(err, &later) {
		t.Errorf("an order for nobody: %v", err)
	}
}

func TestResultThatCannotBeStoredIsAFailure(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", tasks.MaxResult)
	for want, r := range map[string]tasks.Result{
		"evidence that is no JSON": {Outcome: tasks.Done, Evidence: map[string]any{"f": math.NaN()}},
		"bytes of evidence":        {Outcome: tasks.Done, Evidence: map[string]any{"f": long}},
		"at most 1048576":          {Outcome: tasks.Failed, Reasons: []string{long}},
		"is no JSON":               {Outcome: tasks.Done, Usage: tasks.Usage{CostUSD: math.Inf(1)}},
	} {
		h := open(t, with(func(context.Context, agents.Task) tasks.Result { return r }))
		<-h.begin(t.Context(), "PRP-1")
		if got := h.engine.delivered[0].Result; got.Outcome != tasks.Failed || !strings.Contains(got.Reasons[0], want) || len(got.Reasons[0]) > 300 {
			t.Errorf("want %q, got %.300v", want, got)
		}
	}
}

func TestRunOverItsTimeoutIsAFailure(t *testing.T) {
	t.Parallel()
	h := open(t, with(func(ctx context.Context, _ agents.Task) tasks.Result { <-ctx.Done(); return tasks.Result{} }))
	h.engine.timeout = 20 * time.Millisecond
	<-h.begin(t.Context(), "PRP-1")
	if got := h.engine.delivered[0].Result; got.Outcome != tasks.Failed || !strings.Contains(got.Reasons[0], "longer than its timeout of 20ms") {
		t.Errorf("got %+v", got)
	}
}
