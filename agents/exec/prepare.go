package exec

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prpflow/prpflow/agents"
)

// Names in the folder of a run.
const (
	taskName     = "task.json"
	documentName = "document.md"
	promptName   = "prompt.md"
	resultName   = "result.json"
	workName     = "work" // where it works that has no repository
)

// groupSuffix ends the name of the note that tells the process group of a run. It lies
// beside the folder of the run, which is all that the agent is told of.
const groupSuffix = ".group"

// resultVariable names the result file; it is different for each run, so it
// also marks the processes that belong to one.
const resultVariable = "PRPFLOW_RESULT_FILE"

// maxArgument is what an argument may hold: Linux refuses more than 128 KiB.
const maxArgument = 100 << 10

// plan is all that a process is started with.
type plan struct {
	argv   []string
	env    []string
	dir    string    // working directory
	stdin  string    // file, "" = empty
	result string    // result file
	group  string    // file that tells the process group
	who    *identity // user that it runs as, nil = the runtime's
}

// writeTask writes the document and the task file into the folder of a run.
func writeTask(t agents.Task, result string) (agents.TaskFile, error) {
	file := agents.NewTaskFile(t.Assignment)
	file.DocumentPath, file.ResultFile = filepath.Join(t.Dir, documentName), result
	file.Messages = append(file.Messages, t.Messages...)
	if err := os.WriteFile(file.DocumentPath, t.Document, 0o600); err != nil {
		return file, err
	}
	b, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return file, err
	}
	return file, os.WriteFile(filepath.Join(t.Dir, taskName), append(b, '\n'), 0o600)
}

// prepare writes what the agent reads and says how it is started.
func (c *command) prepare(t agents.Task) (plan, error) {
	in := func(name string) string { return filepath.Join(t.Dir, name) }
	p := plan{dir: t.Agent.Repo.Path, result: in(resultName), group: t.Dir + groupSuffix}
	var err error
	if c.as != "" {
		if p.who, err = become(c.as); err != nil {
			return p, err
		}
	}
	if p.dir == "" {
		p.dir = in(workName)
		if err := os.MkdirAll(p.dir, 0o700); err != nil {
			return p, err
		}
	} else if err := checkDir(p.dir); err != nil {
		return p, err
	}
	file, err := writeTask(t, p.result)
	if err != nil {
		return p, err
	}
	v := c.values(t, file, in(taskName))
	if c.spec.Prompt == agents.PromptStdin {
		p.stdin = in(promptName)
		if err := os.WriteFile(p.stdin, []byte(v.Prompt), 0o600); err != nil {
			return p, err
		}
	}
	if p.argv, err = c.expand(v); err != nil {
		return p, err
	}
	p.env = c.environment(p.who, map[string]string{
		"PRPFLOW_TASK_ID": file.TaskID, "PRPFLOW_PRP_ID": file.PRP.ID,
		"PRPFLOW_ATTEMPT": strconv.Itoa(file.Attempt), "PRPFLOW_FENCE": strconv.FormatInt(file.Fence, 10),
		"PRPFLOW_TASK_FILE": in(taskName), resultVariable: p.result,
	})
	if p.who != nil {
		return p, p.who.give(t.Dir)
	}
	return p, nil
}

func (c *command) values(t agents.Task, file agents.TaskFile, taskFile string) values {
	v := values{
		Agent: t.Agent.Name, Role: t.Agent.Role, Attempt: file.Attempt, Fence: file.Fence,
		TaskFile: taskFile, ResultFile: file.ResultFile, Document: file.DocumentPath, Dir: t.Dir,
	}
	v.PRP.ID, v.PRP.Title, v.PRP.Path, v.PRP.SHA256 = file.PRP.ID, file.PRP.Title, file.PRP.Path, file.PRP.SHA256
	v.Task.ID, v.Task.Type = file.TaskID, file.Type
	v.Prompt = prompt(v, t)
	for _, shorten := range []func(){ // what is left out is in the task file
		func() { t.Document = nil },
		func() {
			t.Reasons = []string{"They are long: read them in the task file."}
			t.Questions, t.Answer = nil, ""
		},
		func() { v.PRP.Title = "its title is long" },
	} {
		if len(v.Prompt) <= maxArgument || c.spec.Prompt == agents.PromptStdin {
			break
		}
		shorten()
		v.Prompt = prompt(v, t)
	}
	return v
}

// checkDir says that a working directory is not there; the kernel would say it
// of the command.
func checkDir(path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		err = errors.New("it is no folder")
	}
	if err != nil {
		return fmt.Errorf("repo.path %s: %w", path, err)
	}
	return nil
}

// prompt says in words what the task file says in JSON. Without a document it
// names the file to read.
func prompt(v values, t agents.Task) string {
	var b strings.Builder
	fmt.Fprintf(&b, "You are the agent %s (%s). Your task is %s for %s: %s (attempt %d).\n", v.Agent, v.Role, v.Task.Type, v.PRP.ID, v.PRP.Title, v.Attempt)
	fmt.Fprintf(&b, "The task in JSON is in the file %s.\n", v.TaskFile)
	fmt.Fprintf(&b, "When you have finished, write your verdict as JSON to the file %s: "+
		`{"outcome": "done"|"rejected"|"question"|"retry"|"failed", "evidence": {...}, "reasons": ["..."], "question": "...", "notes": "..."}.`+"\n", v.ResultFile)
	if len(t.Reasons) > 0 {
		b.WriteString("\nIt came back to you for these reasons:\n")
		for _, r := range t.Reasons {
			fmt.Fprintf(&b, "- %s\n", r)
		}
	}
	answered(&b, t)
	if n := len(t.Messages); n > 0 {
		fmt.Fprintf(&b, "\nMessages for you: %d. Read them in the task file, under messages.\n", n)
	}
	if len(t.Document) == 0 {
		fmt.Fprintf(&b, "\nRead the document first: %s\n", v.Document)
	} else {
		fmt.Fprintf(&b, "\nThe document (%s):\n\n%s\n", v.Document, t.Document)
	}
	return b.String()
}

// answered tells the questions that were asked about the PRP, with their answers.
func answered(b *strings.Builder, t agents.Task) {
	switch {
	case len(t.Questions) > 0:
		b.WriteString("\nAnswers to what was asked about it:\n")
		for _, q := range t.Questions {
			if !q.Answered && q.Answer == "" {
				q.Answer = "(none yet)"
			}
			fmt.Fprintf(b, "- %s\n  %s\n", q.Question, q.Answer)
		}
	case t.Answer != "":
		fmt.Fprintf(b, "\nThe answer to your question: %s\n", t.Answer)
	}
}
