package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/engine"
	"github.com/prpflow/prpflow/workflow/internal/office"
)

func TestAnEdgeThatBecomesPossibleIsTakenWhateverMadeItSo(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{Lifecycle: withHospital})
	o.Submit("PRP-1", engine.Submission{})
	for range workflow.DefaultRetries + 1 {
		o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Failed})
		o.Now = o.Now.Add(time.Hour)
	}
	o.Is("PRP-1", "ward")
}

const withHospital = `
name: hospital
roles: [developer]
initial: new
states:
  new: {}
  work: {role: developer, task: prp.develop, results: {done: accept, failed: fail}}
  failed: {}
  ward: {}
  complete: {terminal: true, success: true}
edges:
  - {event: begin, from: new, to: work, auto: true}
  - {event: accept, from: work, to: complete}
  - {event: fail, from: work, to: failed}
  - {event: admit, from: failed, to: ward, auto: true, guard: prp.fit}
  - {event: discharge, from: ward, to: work, by: person}
  - {event: retry, from: failed, to: work, by: person, resets: true}
  - {event: cancel, from: [new, work, failed, ward], to: complete, by: person}
`

func TestAResumedJobIsAsIfPublishedAnew(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Failed, Reasons: []string{"no compiler"}})
	o.Must(o.Trigger("PRP-1", "pause", ""))
	o.Must(o.Trigger("PRP-1", "resume", ""))
	if why := o.Why("PRP-1"); why != "waiting in the queue of dev-1" {
		t.Errorf("why: %q", why)
	}
}

func TestLongTextsAreCutWhereTheyEnterTheRecord(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	long := strings.Repeat("ü", 450<<10)
	o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Failed, Reasons: slices.Repeat([]string{long}, 40)})
	o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Done, Notes: long})
	o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Question, Question: long})
	for _, e := range o.History("PRP-1") {
		if len(e.Reason) > 4<<10 {
			t.Errorf("%s keeps a reason of %d bytes", e.Event, len(e.Reason))
		}
	}
	r := o.Rec("PRP-1")
	if len(r.Reasons) > 32 || len(strings.Join(r.Reasons, "")) > 32*4<<10 || len(r.Question()) > 4<<10 || !strings.Contains(r.Question(), "(cut)") {
		t.Errorf("%d reasons, a question of %d bytes", len(r.Reasons), len(r.Question()))
	}
}

// told claims the PRP's job and gives what the task carries.
func told(o *office.Office, id string) (tasks.Run, tasks.Assignment) {
	o.Helper()
	r := o.Rec(id)
	if r.Job() == nil {
		o.Fatalf("%s: %s", id, o.Why(id))
	}
	return o.Take(id, r.Job().Agent, office.Home)
}

func TestATaskCarriesEveryQuestionWithItsAnswer(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	for i, q := range []string{"tabs or spaces?", "which port?"} {
		run, a := told(o, "PRP-1")
		if len(a.Questions) != i {
			t.Errorf("before question %d the task carries %+v", i+1, a.Questions)
		}
		o.Deliver(run, tasks.Result{Outcome: tasks.Question, Question: q})
		o.Answer("PRP-1", "answer to "+q)
	}
	o.To("PRP-1", "validation")
	run, _ := told(o, "PRP-1")
	o.Deliver(run, tasks.Result{Outcome: tasks.Rejected, Reasons: []string{"no tests"}})
	run, a := told(o, "PRP-1")
	want := []tasks.Exchange{{Question: "tabs or spaces?", Answer: "answer to tabs or spaces?", Answered: true}, {Question: "which port?", Answer: "answer to which port?", Answered: true}}
	if !slices.Equal(a.Questions, want) || a.Answer != "answer to which port?" {
		t.Errorf("the task carries %+v and the answer %q", a.Questions, a.Answer)
	}
	if !slices.Equal(a.Reasons, []string{"no tests"}) {
		t.Errorf("and the reasons %q", a.Reasons)
	}
	// A question between does not make the reasons forgotten.
	o.Deliver(run, tasks.Result{Outcome: tasks.Question, Question: "which tests?"})
	o.Answer("PRP-1", "unit tests")
	run, a = told(o, "PRP-1")
	if !slices.Equal(a.Reasons, []string{"no tests"}) || a.Answer != "unit tests" {
		t.Errorf("after a question: reasons %q, answer %q", a.Reasons, a.Answer)
	}
	o.Deliver(run, office.Good)
	if _, a = told(o, "PRP-1"); len(a.Reasons) != 0 {
		t.Errorf("the work was accepted, and the task carries the reasons %q", a.Reasons)
	}
}

func TestRefusedRunsComeMoreAndMoreSlowly(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	var waits []time.Duration
	for range workflow.MaxRefusals - 1 {
		v := o.Deliver(o.Claim("PRP-1", "dev-1"), tasks.Result{Outcome: tasks.Done})
		waits = append(waits, v.After)
		o.Now = o.Now.Add(time.Hour)
	}
	if want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}; !slices.Equal(waits, want) {
		t.Errorf("the broker waits %v, want %v", waits, want)
	}
}

func TestWhatHasEndedWaitsForNobody(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Submit("PRP-2", engine.Submission{Depends: []string{"PRP-1"}})
	o.Must(o.Trigger("PRP-2", "cancel", ""))
	o.Must(o.Trigger("PRP-1", "cancel", ""))
	for _, text := range o.Inbox {
		if strings.Contains(text, "PRP-2 waits") {
			t.Errorf("the inbox says %q", text)
		}
	}
}

func TestARefusedEventNamesWholeCommands(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Claim("PRP-1", "dev-1")
	err := o.Trigger("PRP-1", "approve", "")
	if err == nil || !strings.Contains(err.Error(), "`prpflow trigger PRP-1 submit --evidence tests_passed=… --evidence lint_clean=… --evidence coverage_pct=…`") {
		t.Errorf("refused with: %v", err)
	}
}

func TestAnEdgeIsFiredOnlyByWhomItNames(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	rec := o.Submit("PRP-1", engine.Submission{})
	c := workflow.Context{Lifecycle: defaultLifecycle(), Now: o.Now, Nonce: "n"}
	for by, event := range map[string]string{workflow.ByEngine: "start", workflow.ByPerson: "ask", workflow.ByAgent: "cancel"} {
		if _, err := workflow.Decide(c, rec, workflow.Input{Event: event, By: by}); !errors.Is(err, workflow.ErrConflict) {
			t.Errorf("%s fires %s: %v", by, event, err)
		}
	}
}
