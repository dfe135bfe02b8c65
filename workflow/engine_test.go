package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// weak is a store that lets a test say what goes wrong with the next changes.
type weak struct {
	workflow.Store
	applies []func(apply func() (workflow.Record, error)) (workflow.Record, error)
	hidden  bool // Load finds nothing, once
}

func (w *weak) Apply(ctx context.Context, c workflow.Change) (workflow.Record, error) {
	apply := func() (workflow.Record, error) { return w.Store.Apply(ctx, c) }
	if len(w.applies) == 0 {
		return apply()
	}
	next := w.applies[0]
	w.applies = w.applies[1:]
	return next(apply)
}

func (w *weak) Load(ctx context.Context, id string) (workflow.Record, time.Time, error) {
	rec, now, err := w.Store.Load(ctx, id)
	if w.hidden {
		w.hidden = false
		return workflow.Record{}, now, workflow.ErrNotFound
	}
	return rec, now, err
}

func newWeak(t *testing.T) (*office, *weak) {
	t.Helper()
	o := newOffice(t, "")
	w := &weak{Store: o.store}
	o.engine.Store = w
	return o, w
}

func replyLost(apply func() (workflow.Record, error)) (workflow.Record, error) {
	_, _ = apply()
	return workflow.Record{}, workflow.ErrUnavailable
}

func notHeard(func() (workflow.Record, error)) (workflow.Record, error) {
	return workflow.Record{}, workflow.ErrUnavailable
}

func outrun(func() (workflow.Record, error)) (workflow.Record, error) {
	return workflow.Record{}, workflow.ErrChanged
}

func TestAChangeWhoseReplyIsLostIsMadeOnce(t *testing.T) {
	t.Parallel()
	o, w := newWeak(t)
	o.submit("PRP-1", workflow.Submission{})
	w.applies = append(w.applies, replyLost, notHeard)
	o.must(o.trigger("PRP-1", "pause", ""))
	h, err := o.engine.History(t.Context(), "PRP-1")
	o.must(err)
	if n := len(h); h[n-1].Event != "pause" || h[n-2].Event == "pause" {
		t.Errorf("the history: %+v", h)
	}
	w.applies = append(w.applies, notHeard, notHeard, notHeard)
	if err := o.trigger("PRP-1", "resume", ""); !errors.Is(err, workflow.ErrUnavailable) {
		t.Errorf("nobody answers: %v", err)
	}
}

func TestWhoIsOutrunDecidesAgain(t *testing.T) {
	t.Parallel()
	o, w := newWeak(t)
	o.submit("PRP-1", workflow.Submission{})
	w.applies = append(w.applies, outrun, outrun)
	o.must(o.trigger("PRP-1", "cancel", ""))
	o.is("PRP-1", "cancelled")
	o.submit("PRP-2", workflow.Submission{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.applies = append(w.applies, outrun)
	if _, err := o.engine.Trigger(ctx, workflow.Trigger{PRP: "PRP-2", Event: "cancel"}); !errors.Is(err, context.Canceled) {
		t.Errorf("who gives up goes on: %v", err)
	}
}

func TestARequestIdHasOneEffect(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	send := func(event, id string) (workflow.Record, error) {
		return o.engine.Trigger(t.Context(), workflow.Trigger{PRP: "PRP-1", Event: event, RequestID: id, Actor: "ann"})
	}
	for _, event := range []string{"pause", "cancel"} {
		first, err := send(event, "r-"+event)
		o.must(err)
		second, err := send(event, "r-"+event)
		o.must(err)
		if first.Version != second.Version {
			t.Errorf("%s twice: version %d, then %d", event, first.Version, second.Version)
		}
	}
	if _, err := send("resume", "r-pause"); !errors.Is(err, workflow.ErrConflict) {
		t.Errorf("the id used for something else: %v", err)
	}
}

func TestARequestThatChangesNothingUsesItsIdUp(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	send := func(event string) error {
		_, err := o.engine.Trigger(t.Context(), workflow.Trigger{PRP: "PRP-1", Event: event, RequestID: "r", Actor: "ann"})
		return err
	}
	o.must(send("resume")) // it is not paused
	o.must(send("resume"))
	if err := send("pause"); !errors.Is(err, workflow.ErrConflict) {
		t.Errorf("the id used for something else: %v", err)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.submit("PRP-1", workflow.Submission{})
	r := o.rec("PRP-1")
	r.Schema = workflow.SchemaVersion + 1
	_, err := o.store.Apply(t.Context(), workflow.Change{Token: "t", SeenVersion: r.Version, SeenState: r.State, Record: r})
	o.must(err)
	if err := o.trigger("PRP-1", "cancel", ""); err == nil || errors.Is(err, workflow.ErrConflict) {
		t.Errorf("an older program changes it: %v", err)
	}
	o.is("PRP-1", "assigned")
}

func TestTwoWhoSubmitTheSameMakeOne(t *testing.T) {
	t.Parallel()
	o, w := newWeak(t)
	first := o.submit("PRP-1", workflow.Submission{})
	w.hidden = true
	if again := o.submit("PRP-1", workflow.Submission{}); again.Version != first.Version {
		t.Errorf("version %d, then %d", first.Version, again.Version)
	}
	w.hidden = true
	_, err := o.engine.Submit(t.Context(), []workflow.Submission{{ID: "PRP-1", Source: "x.md", Text: []byte(fmt.Sprintf(text, "PRP-1", "P3"))}})
	if !errors.Is(err, workflow.ErrConflict) {
		t.Errorf("other content at the same time: %v", err)
	}
}

// errand notes what it is given to send.
type errand struct{ kinds []string }

func (e *errand) Send(_ context.Context, entries []workflow.OutboxEntry) {
	for _, x := range entries {
		e.kinds = append(e.kinds, x.Kind)
	}
}

func TestWhatIsSavedIsSentAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	sender := &errand{}
	o.engine.SetSender(sender)
	o.submit("PRP-1", workflow.Submission{})
	o.must(o.trigger("PRP-1", "cancel", ""))
	if want := []string{workflow.SendTask, workflow.SendRemove, workflow.SendLook}; !slices.Equal(sender.kinds, want) {
		t.Errorf("sent %v, want %v", sender.kinds, want)
	}
}

func TestWorkGoesToTheLeastLoadedAndNotToWhoDrains(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "")
	o.peers.agents = append(o.peers.agents,
		tasks.Agent{Name: "dev-2", Role: "developer", Concurrency: 2}, tasks.Agent{Name: "dev-3", Role: "developer", Draining: true})
	got := map[string]int{}
	for i := range 6 {
		got[o.submit(fmt.Sprintf("PRP-%d", i), workflow.Submission{}).Job.Agent]++
	}
	if got["dev-1"] != 2 || got["dev-2"] != 4 {
		t.Errorf("routed %v", got)
	}
	o.peers.agents = nil
	o.now = o.now.Add(time.Minute)
	if j := o.submit("PRP-9", workflow.Submission{}).Job; j.Agent != "" || j.Queue != "role:developer" {
		t.Errorf("nobody lives, the job is %+v", j)
	}
}
