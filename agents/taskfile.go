package agents

import (
	"encoding/json"

	"github.com/prpflow/prpflow/tasks"
)

// TaskFile is what an agent that is not Go is told: the task file of a
// command, the answer to a claim over HTTP. No list in it is null.
type TaskFile struct {
	TaskID       string            `json:"task_id"`
	Type         string            `json:"type"`
	Attempt      int               `json:"attempt"`
	Fence        int64             `json:"fence"`
	PRP          TaskPRP           `json:"prp"`
	DocumentPath string            `json:"document_path"`
	Reasons      []string          `json:"reasons"`
	Answer       string            `json:"answer"`    // to the last question
	Questions    []tasks.Exchange  `json:"questions"` // all that agents have asked about the PRP, with the answers
	Messages     []json.RawMessage `json:"messages"`
	Worktree     string            `json:"worktree"`
	ResultFile   string            `json:"result_file"`
}

// TaskPRP is the PRP of a task.
type TaskPRP struct {
	ID       string          `json:"id"`
	Title    string          `json:"title"`
	Path     string          `json:"path"`
	SHA256   string          `json:"sha256"` // of the bytes at DocumentPath
	Criteria json.RawMessage `json:"criteria"`
	Gates    json.RawMessage `json:"gates"`
}

// NewTaskFile tells an assignment; the paths are the caller's to fill in.
func NewTaskFile(a tasks.Assignment) TaskFile {
	return TaskFile{
		TaskID: a.Job.ID, Type: a.Job.Type, Attempt: a.Attempt, Fence: a.Job.Fence,
		PRP: TaskPRP{
			ID: a.Job.PRP, Title: a.Title, Path: a.Source, SHA256: a.SHA256,
			Criteria: list(a.Criteria), Gates: list(a.Gates),
		},
		Reasons:   append([]string{}, a.Reasons...),
		Answer:    a.Answer,
		Questions: append([]tasks.Exchange{}, a.Questions...),
		Messages:  []json.RawMessage{},
	}
}

// list makes a list that was left out an empty one: a reader iterates over it.
func list(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("[]")
	}
	return raw
}
