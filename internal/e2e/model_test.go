package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/memstore"
	"github.com/prpflow/prpflow/workflow/relay"
)

// Two processes on a real Redis do what one does in memory, whatever is asked
// of whichever of them, and whoever of them is killed in between.
func TestTwoProcessesDoWhatTheModelSays(t *testing.T) {
	t.Parallel()
	checks, steps := 20, 60
	if torture {
		checks, steps = 150, 120
	}
	ok(t, flag.Set("rapid.checks", strconv.Itoa(checks)))
	ok(t, flag.Set("rapid.steps", strconv.Itoa(steps)))
	server := redistest.Server(t)
	done := 0
	rapid.Check(t, func(rt *rapid.T) {
		m := newModel(t, server)
		defer m.close()
		rt.Repeat(map[string]func(*rapid.T){
			"submit":  m.submit,
			"trigger": m.trigger,
			"claim":   m.claim,
			"deliver": m.deliver,
			"hand in": m.late,
			"kill":    m.kill,
			"":        m.agree,
		})
		done += m.steps
	})
	t.Logf("%d operations", done)
}

// model is the same work in two places: on Redis, by one of two processes, and
// in memory.
type model struct {
	t      *testing.T
	server *redistest.Instance
	real   [2]*bureau
	alone  *engine.Engine
	memory *memstore.Store
	lives  int
	steps  int
	ids    []string
	runs   map[string][2]tasks.Run // PRP -> its last run, on Redis and in memory
	prefix string
}

// silent is a broker and an inbox that take all and tell nothing.
type silent struct{}

func (silent) Enqueue(context.Context, tasks.Job) error     { return nil }
func (silent) Remove(context.Context, string, string) error { return nil }
func (silent) States(_ context.Context, jobs []tasks.JobRef) ([]tasks.TaskState, error) {
	return make([]tasks.TaskState, len(jobs)), nil
}

func (silent) List(context.Context, string, tasks.TaskState, int, int) ([]string, error) {
	return nil, nil
}
func (silent) Queues(context.Context) ([]tasks.QueueState, error) { return nil, nil }
func (silent) QueuesOf(_ context.Context, queues []string) ([]tasks.QueueState, error) {
	return make([]tasks.QueueState, len(queues)), nil
}

func (silent) Put(context.Context, string, string, string, string, string) error {
	return nil
}

func newModel(t *testing.T, server *redistest.Instance) *model {
	t.Helper()
	m := &model{t: t, server: server, runs: map[string][2]tasks.Run{}, prefix: redistest.Name("M")}
	m.real[0], m.real[1] = m.process(), m.process()
	m.memory = memstore.NewDisk(nil).Store("model")
	var err error
	m.alone, err = engine.New(engine.Config{Store: m.memory, Broker: silent{}, Nonce: func() string { return redistest.Name("n") }})
	ok(t, err)
	r, err := relay.New(relay.Config{Outbox: m.memory, Engine: m.alone, Broker: silent{}, Inbox: silent{}})
	ok(t, err)
	m.alone.SetSender(r)
	return m
}

func (m *model) process() *bureau {
	m.lives++
	return newBureau(m.t, m.server, fmt.Sprintf("h:%d:%s", m.lives, m.prefix))
}

func (m *model) close() {
	for _, b := range m.real {
		b.store.Close()
	}
}

// either is one of the two processes.
func (m *model) either(rt *rapid.T) *engine.Engine {
	m.steps++
	return m.real[rapid.IntRange(0, 1).Draw(rt, "process")].engine
}

func (m *model) pick(rt *rapid.T) string {
	if len(m.ids) == 0 {
		rt.Skip("no PRP yet")
	}
	return rapid.SampledFrom(m.ids).Draw(rt, "PRP")
}

// same holds two answers against each other: both succeed, or both refuse for
// the same kind of reason.
func same(rt *rapid.T, what string, a, b error) {
	for _, kind := range []error{workflow.ErrConflict, workflow.ErrNotFound, workflow.ErrUnknownEvent, workflow.ErrBadInput, tasks.ErrStale} {
		if errors.Is(a, kind) != errors.Is(b, kind) {
			rt.Fatalf("%s: on Redis %v, in memory %v", what, a, b)
		}
	}
	if (a == nil) != (b == nil) {
		rt.Fatalf("%s: on Redis %v, in memory %v", what, a, b)
	}
}

func (m *model) submit(rt *rapid.T) {
	id := fmt.Sprintf("%s-%d", m.prefix, len(m.ids))
	if len(m.ids) > 4 {
		id = m.pick(rt)
	}
	sub := engine.Submission{ID: id, Source: id + ".md", Actor: "ann", Revise: rapid.Bool().Draw(rt, "revise")}
	sub.Text = []byte(fmt.Sprintf("# %s - Text %d\n\n## Success Criteria\n- [ ] a\n", id, rapid.IntRange(0, 2).Draw(rt, "text")))
	if rapid.IntRange(0, 4).Draw(rt, "unfit") == 0 {
		sub.Text = []byte("# " + id + " - No criteria\n\n## Goal\nx\n")
	}
	if len(m.ids) > 0 && rapid.Bool().Draw(rt, "depends") {
		sub.Depends = []string{m.pick(rt)}
	}
	if rapid.Bool().Draw(rt, "repo") {
		sub.Repo = m.prefix
	}
	real, rerr := m.either(rt).Submit(m.t.Context(), []engine.Submission{sub})
	model, merr := m.alone.Submit(m.t.Context(), []engine.Submission{sub})
	same(rt, "submit", rerr, merr)
	if rerr != nil {
		return
	}
	same(rt, "submit", real[0].Err, model[0].Err)
	if !slices.Contains(m.ids, id) {
		m.ids = append(m.ids, id)
	}
}

func (m *model) trigger(rt *rapid.T) {
	tr := workflow.Trigger{
		PRP: m.pick(rt), Actor: "ann", Reason: "why", Answer: "that one",
		Event: rapid.SampledFrom(append(fsm.Default().Events(), "pause", "resume", "undepend", "nonsense")).Draw(rt, "event"),
	}
	if rapid.Bool().Draw(rt, "evidence") {
		tr.Evidence = map[string]any{"tests_passed": true, "lint_clean": true, "coverage_pct": 90, "merged": true}
	}
	if rapid.Bool().Draw(rt, "request") {
		tr.RequestID = fmt.Sprintf("r-%d", rapid.IntRange(0, 3).Draw(rt, "request id"))
	}
	_, rerr := m.either(rt).Trigger(m.t.Context(), tr)
	_, merr := m.alone.Trigger(m.t.Context(), tr)
	same(rt, tr.Event, rerr, merr)
}

// claim takes the job of a PRP, if it has one, in both places.
func (m *model) claim(rt *rapid.T) {
	id := m.pick(rt)
	real, model := m.record(rt, id)
	if real.Job() == nil || model.Job() == nil {
		rt.Skip("no job")
	}
	m.steps++
	run := tasks.Run{ID: redistest.Name("run"), PRP: id, Type: real.Job().Type, Agent: "dev-1", Incarnation: rapid.SampledFrom([]string{"h:1:a", "h:2:b"}).Draw(rt, "incarnation")}
	pair := [2]tasks.Run{run, run}
	pair[0].Job, pair[0].Fence = real.Job().ID, real.Fence
	pair[1].Job, pair[1].Fence = model.Job().ID, model.Fence
	_, rerr := m.either(rt).Claim(m.t.Context(), tasks.Claim{Run: pair[0]})
	_, merr := m.alone.Claim(m.t.Context(), tasks.Claim{Run: pair[1]})
	same(rt, "claim", rerr, merr)
	if rerr == nil {
		m.runs[id] = pair
	}
}

func (m *model) deliver(rt *rapid.T) {
	id := m.pick(rt)
	pair, known := m.runs[id]
	if !known {
		rt.Skip("no run")
	}
	result := tasks.Result{Outcome: rapid.SampledFrom([]tasks.Outcome{tasks.Done, tasks.Done, tasks.Rejected, tasks.Question, tasks.Retry, tasks.Failed, tasks.Limited}).Draw(rt, "outcome")}
	switch result.Outcome {
	case tasks.Done:
		result.Evidence = map[string]any{"tests_passed": true, "lint_clean": rapid.Bool().Draw(rt, "clean"), "coverage_pct": 90, "approved": true, "merged": true}
	case tasks.Question:
		result.Question = "which?"
	case tasks.Rejected:
		result.Reasons = []string{"no test"}
	case tasks.Retry, tasks.Limited:
		result.RetryAfter = tasks.Duration(time.Minute)
	}
	rv, rerr := m.either(rt).Deliver(m.t.Context(), tasks.Delivery{Run: pair[0], Result: result})
	mv, merr := m.alone.Deliver(m.t.Context(), tasks.Delivery{Run: pair[1], Result: result})
	same(rt, "deliver", rerr, merr)
	if rv.Failed != mv.Failed || (rv.After > 0) != (mv.After > 0) {
		rt.Fatalf("deliver: on Redis %+v, in memory %+v", rv, mv)
	}
}

// late hands a run back that may no longer be current.
func (m *model) late(rt *rapid.T) {
	pair, known := m.runs[m.pick(rt)]
	if !known {
		rt.Skip("no run")
	}
	rerr := m.either(rt).HandBack(m.t.Context(), pair[0], "was drained")
	merr := m.alone.HandBack(m.t.Context(), pair[1], "was drained")
	same(rt, "hand back", rerr, merr)
}

// kill ends one of the two processes; another one takes its place.
func (m *model) kill(rt *rapid.T) {
	m.steps++
	i := rapid.IntRange(0, 1).Draw(rt, "process")
	m.real[i].store.Close()
	m.real[i] = m.process()
}

func (m *model) record(rt *rapid.T, id string) (real, model workflow.Record) {
	real, _, rerr := m.real[0].store.Load(m.t.Context(), id)
	model, _, merr := m.memory.Load(m.t.Context(), id)
	same(rt, "load", rerr, merr)
	return real, model
}

// agree compares all that the two places know.
func (m *model) agree(rt *rapid.T) {
	for _, id := range m.ids {
		real, model := m.record(rt, id)
		if a, b := essence(real), essence(model); a != b {
			rt.Fatalf("%s\non Redis:  %s\nin memory: %s", id, a, b)
		}
		rh, rerr := m.real[1].store.History(m.t.Context(), id)
		mh, merr := m.memory.History(m.t.Context(), id)
		same(rt, "history", rerr, merr)
		if a, b := story(rh), story(mh); a != b {
			rt.Fatalf("%s\non Redis:  %s\nin memory: %s", id, a, b)
		}
	}
}

// essence is a record without what is random or the time.
func essence(r workflow.Record) string {
	st := r.Stage
	var retry bool
	if st.Work != nil {
		retry = st.Work.Retry != nil
	}
	return fmt.Sprintf("%s v%d f%d attempt=%d paused=%v findings=%d deps=%v blocked=%v unresolved=%v job=%v holder=%v retry=%v reasons=%v q=%v failure=%q merge=%v refused=%d dead=%d rev=%d stage=%s/%v/%v/%d/%d/%d",
		r.State, r.Version, r.Fence, r.Attempt, r.Paused, len(r.Findings), r.DependsOn, r.BlockedBy, r.Unresolved, r.Job() != nil, r.Holder() != nil, retry,
		r.Reasons, r.Questions, r.Failure, st.Merge != nil && st.Merge.Granted, r.Refused, len(r.Dead), r.Revision,
		st.Back, st.Asked, st.Approval, st.Failures, st.Lost, st.Runs)
}

func story(h []workflow.Entry) string {
	var s string
	for _, e := range h {
		s += fmt.Sprintf("%s:%s>%s by %s (%s, %v) ", e.Event, e.From, e.To, e.Actor, e.Reason, e.Job != "")
	}
	return s
}
