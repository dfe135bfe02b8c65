package fsm_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/prpflow/prpflow/fsm"
)

func TestStateKeepsAllThatItNames(t *testing.T) {
	t.Parallel()
	source := edit(t, small, "    role: worker\n", `    role: worker
    timeout: 30m
    retries: 0
    retry_delay: 10s
    deadline: 24h
    priority: P1
    max_rejections: 3
    approval: true
    capacity: 2
`)
	got, ok := load(t, source).State("work")
	none := 0
	want := fsm.State{
		Name: "work", Role: "worker", Task: "prp.work", Results: map[string]string{"done": "end", "question": "ask", "failed": "stop"},
		Timeout: 30 * time.Minute, Retries: &none, RetryDelay: 10 * time.Second, Deadline: 24 * time.Hour,
		Priority: "P1", MaxRejections: 3, Approval: true, Capacity: 2,
	}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Error(diff)
	}
}

func TestOneTextIsAListOfOne(t *testing.T) {
	t.Parallel()
	l := load(t, edit(t, edit(t, small, "roles: [worker]", "roles: worker"), "resets: true", "resets: true\n    by: person"))
	e, err := l.Next("stopped", "again", "")
	if err != nil || !e.Resets || !cmp.Equal(e.By, []string{"person"}) || !cmp.Equal(l.Roles(), []string{"worker"}) {
		t.Errorf("%+v, %v, roles %v", e, err, l.Roles())
	}
}

func TestStateWithNothingBehindItIsAState(t *testing.T) {
	t.Parallel()
	if s, ok := load(t, edit(t, small, "asked: {}", "asked:")).State("asked"); !ok || s.Working() {
		t.Errorf("%+v, %t", s, ok)
	}
}

// Anchors save an author from saying the same results or states twice.
func TestAliasStandsForWhatItNames(t *testing.T) {
	t.Parallel()
	source := edit(t, small, "from: work, to: asked", "from: &busy work, to: asked")
	l := load(t, edit(t, source, "from: work, to: stopped", "from: [*busy], to: stopped"))
	if e, err := l.Next("work", "stop", ""); err != nil || e.To != "stopped" {
		t.Errorf("%+v, %v", e, err)
	}
}

// A source that the caller goes on writing to is not the lifecycle's.
func TestSourceIsKeptAsItWas(t *testing.T) {
	t.Parallel()
	source := []byte(small)
	l, err := fsm.Parse("small.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	source[0] = 'x'
	if string(l.Source()) != small {
		t.Error("the source has changed with the caller's")
	}
}
