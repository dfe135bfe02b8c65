package workflow_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/fsm"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// sound is a record that keeps every invariant: its job waits in development.
func sound() workflow.Record {
	return workflow.Record{
		ID: "PRP-1", State: "development", Version: 3, Fence: 2, Attempt: 1,
		Stage: workflow.Stage{Work: &workflow.Work{Job: tasks.Job{ID: "PRP-1:2:n", PRP: "PRP-1", Fence: 2}}},
	}
}

func TestABrokenInvariantIsNamed(t *testing.T) {
	t.Parallel()
	if r := sound(); r.Check(fsm.Default()) != nil {
		t.Fatal(r.Check(fsm.Default()))
	}
	for says, spoil := range map[string]func(r *workflow.Record){
		"state is unknown":       func(r *workflow.Record) { r.State = "nowhere" },
		"too low":                func(r *workflow.Record) { r.Attempt = 0 },
		"another fence":          func(r *workflow.Record) { r.Fence = 3 },
		"another PRP's":          func(r *workflow.Record) { r.Stage.Work.Job.PRP = "PRP-2" },
		"without work":           func(r *workflow.Record) { r.State = "blocked" },
		"while it is paused":     func(r *workflow.Record) { r.Paused = true },
		"a person is to approve": func(r *workflow.Record) { r.Stage.Approval = &workflow.Approval{Event: "submit"} },
		"without the merge lease": func(r *workflow.Record) {
			r.State, r.Stage.Merge = "integration", &workflow.Merge{Lease: "r", Member: "m", Capacity: 1}
		},
		"waits for its retry": func(r *workflow.Record) {
			r.Stage.Work.Holder, r.Stage.Work.Retry = &workflow.Holder{Run: "a"}, &workflow.Retry{Why: "b"}
		},
		"neither a job nor a reason": func(r *workflow.Record) { r.Stage.Work = nil },
		"lease without a job": func(r *workflow.Record) {
			r.State, r.Paused, r.Stage.Work = "integration", true, nil
			r.Stage.Merge = &workflow.Merge{Lease: "r", Member: "m", Capacity: 1, Granted: true}
		},
		"without capacity": func(r *workflow.Record) {
			r.Stage.Merge = &workflow.Merge{Lease: "r", Member: "m", Capacity: 1, Granted: true}
		},
		"deadline runs": func(r *workflow.Record) {
			r.Paused, r.Stage.Work, r.Stage.Deadline = true, nil, time.Now()
		},
		"deadline is stopped":   func(r *workflow.Record) { r.Stage.Left = time.Second },
		"it has ended":          func(r *workflow.Record) { r.State, r.Stage.Work, r.Stage.Deadline = "complete", nil, time.Now() },
		"was not given up":      func(r *workflow.Record) { r.Failure = "no compiler" },
		"answer to no question": func(r *workflow.Record) { r.Stage.Asked = true },
	} {
		r := sound()
		spoil(&r)
		if err := r.Check(fsm.Default()); !errors.Is(err, workflow.ErrBroken) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestACloneSharesNothing(t *testing.T) {
	t.Parallel()
	r := sound()
	r.Stage.Work.Holder, r.Stage.Work.Retry, r.Stage.Work.Suspect = &workflow.Holder{}, &workflow.Retry{}, &workflow.Suspect{}
	r.Stage.Merge, r.Stage.Approval = &workflow.Merge{}, &workflow.Approval{Evidence: map[string]any{"a": 1}}
	r.Agents, r.Reasons, r.Questions = map[string]string{"a": "b"}, []string{"a"}, []tasks.Exchange{{}}
	c := r.Clone()
	c.Stage.Work.Job.ID, c.Stage.Work.Holder.Run, c.Stage.Work.Retry.Why, c.Stage.Work.Suspect.What = "x", "x", "x", "x"
	c.Stage.Merge.Lease, c.Stage.Approval.Evidence["a"], c.Agents["a"], c.Reasons[0], c.Questions[0].Answer = "x", 2, "x", "x", "x"
	if w := r.Stage.Work; w.Job.ID == "x" || w.Holder.Run == "x" || w.Retry.Why == "x" || w.Suspect.What == "x" ||
		r.Stage.Merge.Lease == "x" || r.Stage.Approval.Evidence["a"] == 2 || r.Agents["a"] == "x" || r.Reasons[0] == "x" || r.Questions[0].Answer == "x" {
		t.Errorf("a change of the clone is one of the original: %+v", r)
	}
}

func TestARepositoryIsSpelledInOneWay(t *testing.T) {
	t.Parallel()
	for want, spelled := range map[string][]string{
		"/srv/x":               {"/srv/x", "/srv/x/", "/srv/../srv/x", " /srv//x ", "file:///srv/x"},
		"github.com/o/service": {"https://github.com/o/service.git", "https://GitHub.com/o/service/", "git@github.com:o/service.git", "ssh://git@github.com:22/o/service"},
		"service":              {"service", "./service", "service/"},
		"":                     {"", " "},
	} {
		for _, s := range spelled {
			if got := workflow.CanonicalRepo(s); got != want {
				t.Errorf("%q is %q, want %q", s, got, want)
			}
		}
	}
}

func TestAMemberNamesItsPRP(t *testing.T) {
	t.Parallel()
	for member, want := range map[string]string{"PRP-1:5:n7": "PRP-1", "a:b:5:n7": "a:b", "PRP-1:5": "PRP-1", "odd": "odd"} {
		if got := workflow.MemberPRP(member); got != want {
			t.Errorf("%s is a member of %q, want %q", member, got, want)
		}
	}
}

func TestErrorsHaveOneClass(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]workflow.Class{
		workflow.ErrUnavailable: workflow.Unreachable, workflow.ErrChanged: workflow.Outrun, workflow.ErrNotFound: workflow.Final,
		workflow.ErrUnreadable: workflow.Final, workflow.Newer("it", 9): workflow.Final, nil: workflow.Final,
	} {
		if got := workflow.ClassOf(err); got != want {
			t.Errorf("%v is of class %d, want %d", err, got, want)
		}
	}
	if !errors.Is(workflow.Newer("it", 9), workflow.ErrUnreadable) {
		t.Error("what a newer program wrote can be read")
	}
}
