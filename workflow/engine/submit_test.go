package engine_test

import (
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

func TestWhyNamesWhatIsWaitedFor(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Submit("PRP-2", engine.Submission{Depends: []string{"PRP-1"}})
	o.Submit("PRP-3", engine.Submission{Text: []byte("# PRP-3 - No criterion\n\n## Goal\nNone.\n")})
	o.Submit("PRP-4", engine.Submission{Repo: "r"})
	o.Submit("PRP-5", engine.Submission{Repo: "r"})
	o.Submit("PRP-6", engine.Submission{Priority: "P0"})
	o.Broker.Paused["agent:dev-1:p0"] = true
	for id, want := range map[string]string{
		"PRP-1": "queue of dev-1", "PRP-2": "PRP-1", "PRP-3": "no criterion", "PRP-6": "queue resume agent:dev-1:p0",
	} {
		if why := o.Why(id); !strings.Contains(why, want) {
			t.Errorf("%s waits for %q, want %q", id, why, want)
		}
	}
	o.To("PRP-4", "validation", "integration")
	o.To("PRP-5", "validation", "integration")
	if why := o.Why("PRP-5"); why != "waiting for the merge lease of r, which PRP-4 has" {
		t.Errorf("PRP-5 waits for %q", why)
	}
	o.Must(o.Trigger("PRP-1", "pause", ""))
	if why := o.Why("PRP-1"); !strings.Contains(why, "paused") {
		t.Errorf("PRP-1 waits for %q", why)
	}
	o.Must(o.Trigger("PRP-1", "cancel", ""))
	o.Must(o.Engine.Unblock(t.Context(), "PRP-2"))
	if why := o.Why("PRP-2"); !strings.Contains(why, "PRP-1") || !strings.Contains(why, "cancelled") {
		t.Errorf("PRP-2 waits for %q", why)
	}
	o.Crowd.Members = nil
	delete(o.Broker.Paused, "agent:dev-1:p0")
	o.Now = o.Now.Add(time.Minute)
	if why := o.Why("PRP-6"); why != "no live developer" {
		t.Errorf("PRP-6 waits for %q", why)
	}
}

func TestBatchesAreReadWholeFirst(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	sub := func(id string, deps ...string) engine.Submission {
		return engine.Submission{Source: id + ".md", Text: []byte(fmt.Sprintf(office.Text, id, "P2")), Depends: deps, Actor: "ann"}
	}
	for name, batch := range map[string][]engine.Submission{
		"PRP-1 -> PRP-2 -> PRP-1": {sub("PRP-1", "PRP-2"), sub("PRP-2", "PRP-1")},
		"PRP-3 -> PRP-3":          {sub("PRP-3", "PRP-3")},
		"the same id":             {sub("PRP-4"), sub("PRP-4")},
		"UTF-8":                   {sub("PRP-5"), {Source: "x.md", Text: []byte("a\x00b")}},
		"id":                      {{Source: "x.md", ID: "a b", Text: []byte(fmt.Sprintf(office.Text, "x", "P1"))}},
	} {
		_, err := o.Engine.Submit(t.Context(), batch)
		if !errors.Is(err, workflow.ErrBadInput) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := o.Engine.Plan(t.Context(), batch); !errors.Is(err, workflow.ErrBadInput) {
			t.Errorf("plan, %s: %v", name, err)
		}
	}
	if recs, _ := o.Store.List(t.Context()); len(recs) != 0 {
		t.Errorf("%d records were made", len(recs))
	}
	plan, err := o.Engine.Plan(t.Context(), []engine.Submission{sub("PRP-7", "PRP-6", "PRP-99"), sub("PRP-6")})
	o.Must(err)
	if len(plan) != 2 || plan[0].ID != "PRP-6" || !slices.Equal(plan[1].Unresolved, []string{"PRP-99"}) {
		t.Errorf("plan %+v", plan)
	}
}

func TestSubmittingAgainNeedsRevise(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	again := func(sub engine.Submission) engine.Submitted {
		sub.ID, sub.Source = "PRP-1", "PRP-1.md"
		done, err := o.Engine.Submit(t.Context(), []engine.Submission{sub})
		o.Must(err)
		return done[0]
	}
	if s := again(engine.Submission{Text: []byte(fmt.Sprintf(office.Text, "PRP-1", "P1"))}); !s.Again || s.Err != nil {
		t.Errorf("the same: %+v", s)
	}
	other := []byte(fmt.Sprintf(office.Text, "PRP-1", "P3"))
	if s := again(engine.Submission{Text: other}); !errors.Is(s.Err, workflow.ErrConflict) {
		t.Errorf("other content: %v", s.Err)
	}
	if s := again(engine.Submission{Text: other, Revise: true}); !s.Revised || s.Record.Revision != 2 || s.Record.Priority != "P3" {
		t.Errorf("revised: %+v", s)
	}
	o.Must(o.Trigger("PRP-1", "cancel", ""))
	if s := again(engine.Submission{Text: []byte(fmt.Sprintf(office.Text, "PRP-1", "P0")), Revise: true}); !errors.Is(s.Err, workflow.ErrConflict) {
		t.Errorf("revised after its end: %v", s.Err)
	}
}

func TestAnUnknownPRPIsSaidToBeUnknown(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	if _, err := o.Engine.Show(t.Context(), "PRP-9"); !errors.Is(err, workflow.ErrNotFound) || !strings.Contains(err.Error(), "no PRP PRP-9") {
		t.Errorf("show: %v", err)
	}
	if _, err := o.Engine.History(t.Context(), "PRP-9"); !errors.Is(err, workflow.ErrNotFound) {
		t.Errorf("history: %v", err)
	}
	if _, err := engine.New(engine.Config{}); err == nil {
		t.Error("an engine without a store")
	}
}

func TestListShowsEveryPRP(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	o.Submit("PRP-2", engine.Submission{Depends: []string{"PRP-1"}})
	views, err := o.Engine.List(t.Context())
	o.Must(err)
	if len(views) != 2 || views[1].BlockedBy[0] != "PRP-1" || views[0].Agent != "dev-1" {
		t.Errorf("listed %+v", views)
	}
}

// A document names another one by its id, its file, or what its file is called
// where it has no id.
func TestDependenciesMayBeNamesOfFiles(t *testing.T) {
	t.Parallel()
	o := office.New(t, office.Options{})
	o.Submit("PRP-1", engine.Submission{})
	sub := func(file, head string, deps ...string) engine.Submission {
		return engine.Submission{Source: file, Text: []byte(head + "\n\n## Success Criteria\n- It is done\n"), Depends: deps, Actor: "ann"}
	}
	plan, err := o.Engine.Plan(t.Context(), []engine.Submission{
		sub("PRPs/My Thing.md", "# A thing"),
		sub("PRP-8-eight.md", "# Eight", "PRP-1-one.md", "PRP-1", "My Thing", "PRP-9-nine"),
		sub("strange.md", "# PRP-9 - Nine", "my-thing"),
		sub("PRP-10.md", "# Ten", "strange.md"),
	})
	o.Must(err)
	got := map[string]string{}
	for _, r := range plan {
		got[r.ID] = strings.Join(r.DependsOn, " ") + "|" + strings.Join(r.Unresolved, " ")
	}
	want := map[string]string{"my-thing": "|", "PRP-8": "PRP-1 my-thing PRP-9|", "PRP-9": "my-thing|", "PRP-10": "PRP-9|"}
	for id := range want {
		if got[id] != want[id] {
			t.Errorf("%s depends on %q, want %q", id, got[id], want[id])
		}
	}
}
