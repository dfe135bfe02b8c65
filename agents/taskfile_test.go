package agents_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
)

func TestTaskFileHasNoNullAndEveryAnswer(t *testing.T) {
	t.Parallel()
	empty, err := json.Marshal(agents.NewTaskFile(tasks.Assignment{}))
	if err != nil || strings.Contains(string(empty), "null") || !strings.Contains(string(empty), `"questions":[]`) {
		t.Errorf("%s, %v", empty, err)
	}
	asked := []tasks.Exchange{{Question: "Which port?", Answer: "443", Answered: true}, {Question: "Which host?", Answer: "any", Answered: true}}
	full, err := json.Marshal(agents.NewTaskFile(tasks.Assignment{Questions: asked, Answer: "any"}))
	if want := `"answer":"any","questions":[{"question":"Which port?","answer":"443","answered":true},{"question":"Which host?","answer":"any","answered":true}]`; err != nil || !strings.Contains(string(full), want) {
		t.Errorf("%s, %v", full, err)
	}
}
