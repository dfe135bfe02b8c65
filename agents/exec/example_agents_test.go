package exec_test

import (
	"path/filepath"
	"testing"

	"github.com/prpflow/prpflow/internal/redistest"
	"github.com/prpflow/prpflow/tasks"
)

// C27: the shipped Python agent asks once.
func TestPythonExampleAsksUntilItsQuestionIsAnswered(t *testing.T) {
	redistest.Command(t, "python", "python3")
	const open = "# PRP-1\n\nThe colour is TBD.\n"
	s := setup(t, "")
	file, err := filepath.Abs("../../examples/agent.py")
	if err != nil {
		t.Fatal(err)
	}
	s.task.Agent.Exec.Command = []string{"python3", file}
	s.task.Document = []byte(open)

	s.task.Reasons, s.task.Questions, s.task.Answer = nil, nil, ""
	first := s.run(t.Context())
	s.want(first, tasks.Question, "")

	s.task.Questions = []tasks.Exchange{{Question: "Another agent's?", Answer: "yes", Answered: true}}
	s.want(s.run(t.Context()), tasks.Question, "")

	// Answered, then rejected: the answer is in the list only.
	s.task.Reasons = []string{"no tests"}
	s.task.Questions = append(s.task.Questions, tasks.Exchange{Question: first.Question, Answer: "green", Answered: true})
	got := s.run(t.Context())
	s.want(got, tasks.Done, "")
	if got.Evidence["tests_passed"] != true {
		t.Errorf("evidence is %v", got.Evidence)
	}
}
