package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/internal/office"
)

// weak is a store that lets a test say what goes wrong with the next changes.
type weak struct {
	workflow.Store
	applies []func(apply func() (workflow.Record, error)) (workflow.Record, error)
	hidden  bool // LoadMany finds nothing, once
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

func (w *weak) LoadMany(ctx context.Context, ids []string) ([]workflow.Loaded, time.Time, error) {
	recs, now, err := w.Store.LoadMany(ctx, ids)
	if w.hidden {
		w.hidden = false
		return make([]workflow.Loaded, len(ids)), now, err
	}
	return recs, now, err
}

func newWeak(t *testing.T) (*office.Office, *weak) {
	t.Helper()
	w := &weak{}
	o := office.New(t, office.Options{Store: func(s workflow.Store) workflow.Store { w.Store = s; return w }})
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
	o.Submit("PRP-1", engine.Submission{})
	w.applies = append(w.applies, replyLost, notHeard)
	o.Must(o.Trigger("PRP-1", "pause", ""))
	h, err := o.Engine.History(t.Context(), "PRP-1")
	o.Must(err)
	if n := len(h); h[n-1].Event != "pause" || h[n-2].Event == "pause" {
		t.Errorf("the history: %+v", h)
	}
	w.applies = append(w.applies, notHeard, notHeard, notHeard)
	if err := o.Trigger("PRP-1", "resume", ""); !errors.Is(err, workflow.ErrUnavailable) {
		t.Errorf("nobody answers: %v", err)
	}
}

func TestWhoIsOutrunDecidesAgain(t *testing.T) {
	t.Parallel()
	o, w := newWeak(t)
	o.Submit("PRP-1", engine.Submission{})
	w.applies = append(w.applies, outrun, outrun)
	o.Must(o.Trigger("PRP-1", "cancel", ""))
	o.Is("PRP-1", "cancelled")
	o.Submit("PRP-2", engine.Submission{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.applies = append(w.applies, outrun)
	if _, err := o.Engine.Trigger(ctx, workflow.Trigger{PRP: "PRP-2", Event: "cancel"}); !errors.Is(err, context.Canceled) {
		t.Errorf("who gives up goes on: %v", err)
	}
}

func TestARequestIdHasOneEffect(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	send := func(event, id string) (workflow.Record, error) {
		return o.Engine.Trigger(t.Context(), workflow.Trigger{PRP: "PRP-1", Event: event, RequestID: id, Actor: "ann"})
	}
	for _, event := range []string{"pause", "cancel"} {
		first, err := send(event, "r-"+event)
		o.Must(err)
		second, err := send(event, "r-"+event)
		o.Must(err)
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
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	send := func(event string) error {
		_, err := o.Engine.Trigger(t.Context(), workflow.Trigger{PRP: "PRP-1", Event: event, RequestID: "r", Actor: "ann"})
		return err
	}
	o.Must(send("resume")) // it is not paused
	o.Must(send("resume"))
	if err := send("pause"); !errors.Is(err, workflow.ErrConflict) {
		t.Errorf("the id used for something else: %v", err)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	r := o.Rec("PRP-1")
	r.Schema = workflow.SchemaVersion + 1
	_, err := o.Store.Apply(t.Context(), workflow.Change{Token: "t", SeenVersion: r.Version, SeenState: r.State, Record: r})
	o.Must(err)
	if err := o.Trigger("PRP-1", "cancel", ""); !errors.Is(err, workflow.ErrUnreadable) {
		t.Errorf("an older program changes it: %v", err)
	}
	views, err := o.Engine.List(t.Context())
	o.Must(err)
	if len(views) != 1 || views[0].State != "assigned" || !strings.Contains(views[0].Why, "newer prpflow") {
		t.Errorf("listed as %+v", views)
	}
}

func TestTwoWhoSubmitTheSameMakeOne(t *testing.T) {
	t.Parallel()
	o, w := newWeak(t)
	first := o.Submit("PRP-1", engine.Submission{})
	w.hidden = true
	if again := o.Submit("PRP-1", engine.Submission{}); again.Version != first.Version {
		t.Errorf("version %d, then %d", first.Version, again.Version)
	}
	w.hidden = true
	_, err := o.Engine.Submit(t.Context(), []engine.Submission{{ID: "PRP-1", Source: "x.md", Text: []byte(fmt.Sprintf(office.Text, "PRP-1", "P3"))}})
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
	o := office.New(t, office.Options{})
	sender := &errand{}
	o.Engine.SetSender(sender)
	o.Submits("PRP-1", engine.Submission{})
	o.Must(o.Trigger("PRP-1", "cancel", ""))
	if want := []string{workflow.SendTask, workflow.SendRemove, workflow.SendLook}; !slices.Equal(sender.kinds, want) {
		t.Errorf("sent %v, want %v", sender.kinds, want)
	}
}
