package exec_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/agents/exec"
	"github.com/prpflow/prpflow/agents/internal/proc"
	"github.com/prpflow/prpflow/tasks"
)

// script is a run of a shell script as an agent.
type script struct {
	t    *testing.T
	task agents.Task
	env  []string
}

func setup(t *testing.T, text string) *script {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "agent.sh")
	if err := os.WriteFile(file, []byte("cd "+dir+"\n"+text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(dir, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	return &script{t, agents.Task{
		Assignment: tasks.Assignment{
			Job:     tasks.Job{ID: "PRP-1:3:ab", PRP: "PRP-1", Fence: 3, Type: "prp.develop"},
			Attempt: 2, Title: "Title", Source: "docs/prp-1.md", SHA256: "5e8f", Document: []byte("# PRP-1\n"),
			Reasons: []string{"no tests"}, Answer: "the new one",
			Questions: []tasks.Exchange{{Question: "Which database?", Answer: "the new one", Answered: true}},
		},
		Agent: agents.Spec{
			Name: "dev-1", Role: "developer",
			Exec: &agents.Exec{Command: []string{"/bin/sh", file}, Prompt: agents.PromptFile},
		},
		Dir: run, Log: &agents.Log{},
	}, nil}
}

func (s *script) run(ctx context.Context) tasks.Result {
	s.t.Helper()
	h, err := exec.Adapter{Environ: s.env}.Handler(s.task.Agent)
	if err != nil {
		s.t.Fatal(err)
	}
	return h.Run(ctx, s.task)
}

// read gives what the script wrote to a file beside itself.
func (s *script) read(name string) string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(filepath.Dir(s.task.Dir), name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// await waits until the script has written a file.
func (s *script) await(name string) {
	s.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if b, err := os.ReadFile(filepath.Join(filepath.Dir(s.task.Dir), name)); err == nil && strings.HasSuffix(string(b), "\n") {
			return
		}
	}
	s.t.Fatalf("the script has not written %s", name)
}

// dead fails unless the process whose number is in the file is gone.
func (s *script) dead(name string) {
	s.t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(s.read(name)))
	if err != nil {
		s.t.Fatal(err)
	}
	if p, err := proc.Read(pid); err == nil && p.Alive() {
		s.t.Errorf("process %d (%s) still runs", pid, name)
	}
}

func (s *script) want(got tasks.Result, outcome tasks.Outcome, reason string) {
	s.t.Helper()
	if got.Outcome != outcome || !strings.Contains(strings.Join(got.Reasons, "\n"), reason) {
		s.t.Errorf("want %s because of %q, got %+v", outcome, reason, got)
	}
}

func TestResultFileComesBeforeTheExitCode(t *testing.T) {
	s := setup(t, `echo '{"outcome":"done","evidence":{"tests_passed":true}}' >"$PRPFLOW_RESULT_FILE"; exit 3`)
	got := s.run(t.Context())
	s.want(got, tasks.Done, "")
	if got.Evidence["tests_passed"] != true {
		t.Errorf("evidence is %v", got.Evidence)
	}
}

func TestExitCodeIsTheVerdictWithoutResultFile(t *testing.T) {
	for script, want := range map[string]tasks.Result{
		"exit 0":  {Outcome: tasks.Done, Notes: "the agent ended with exit code 0 and wrote no result file (PRPFLOW_RESULT_FILE)", Silent: true},
		"exit 75": {Outcome: tasks.Retry},
		"echo one; echo why it failed >&2; exit 4":      {Outcome: tasks.Failed, Reasons: []string{"exit status 4\nwhy it failed"}},
		"echo the reason is on standard output; exit 1": {Outcome: tasks.Failed, Reasons: []string{"the reason is on standard output"}},
		"kill -9 $$": {Outcome: tasks.Failed, Reasons: []string{"signal: killed"}},
	} {
		t.Run(script, func(t *testing.T) {
			s := setup(t, script)
			got := s.run(t.Context())
			s.want(got, want.Outcome, strings.Join(want.Reasons, ""))
			if got.Evidence != nil || got.Notes != want.Notes {
				t.Errorf("an exit code is no evidence: %+v", got)
			}
		})
	}
}

func TestTaskFileAndEnvironment(t *testing.T) {
	s := setup(t, `cat "$PRPFLOW_TASK_FILE" >task; cat "$(sed -n 's/.*"document_path": "\(.*\)",/\1/p' task)" >document; env | sort >env; cat >stdin`)
	s.env = []string{"PATH=" + os.Getenv("PATH"), "PRPFLOW_REDIS=secret", "PRPFLOW_API_TOKENS=secret", "OTHER=1"}
	s.task.Agent.Exec.Env = map[string]string{"KEY": "value"}
	s.want(s.run(t.Context()), tasks.Done, "")
	var file map[string]any
	if err := json.Unmarshal([]byte(s.read("task")), &file); err != nil {
		t.Fatal(err)
	}
	prp := file["prp"].(map[string]any)
	if file["task_id"] != "PRP-1:3:ab" || file["fence"] != 3.0 || file["attempt"] != 2.0 || file["answer"] != "the new one" ||
		prp["id"] != "PRP-1" || prp["sha256"] != "5e8f" || len(prp["criteria"].([]any)) != 0 || len(file["messages"].([]any)) != 0 {
		t.Errorf("the task file is %v", file)
	}
	if q := file["questions"].([]any); len(q) != 1 || q[0].(map[string]any)["question"] != "Which database?" || q[0].(map[string]any)["answer"] != "the new one" {
		t.Errorf("its questions are %v", q)
	}
	if d := s.read("document"); d != "# PRP-1\n" {
		t.Errorf("the document is %q", d)
	}
	env := s.read("env")
	for _, want := range []string{"KEY=value\n", "OTHER=1\n", "PRPFLOW_TASK_ID=PRP-1:3:ab\n", "PRPFLOW_PRP_ID=PRP-1\n", "PRPFLOW_ATTEMPT=2\n", "PRPFLOW_FENCE=3\n"} {
		if !strings.Contains(env, want) {
			t.Errorf("the environment lacks %s", want)
		}
	}
	if strings.Contains(env, "secret") {
		t.Errorf("the agent holds a secret: %s", env)
	}
	if in := s.read("stdin"); in != "" {
		t.Errorf("standard input holds %q", in)
	}
}

func TestPromptByArgvAndStdin(t *testing.T) {
	s := setup(t, `cat >stdin; printf '%s' "$1" >one; printf '%s' "$2" >two`)
	s.task.Agent.Exec.Command = append(s.task.Agent.Exec.Command, "{{.PRP.ID}} of {{.Agent}}")
	s.task.Agent.Exec.Prompt = agents.PromptArgv
	s.run(t.Context())
	if one, two := s.read("one"), s.read("two"); one != "PRP-1 of dev-1" || !strings.Contains(two, "# PRP-1") || !strings.Contains(two, "no tests") || !strings.Contains(two, "the new one") {
		t.Errorf("arguments are %q, %q", one, two)
	}
	s.task.Agent.Exec.Prompt = agents.PromptStdin
	s.task.Document = []byte(strings.Repeat("x", 1<<20))
	s.run(t.Context())
	if in := s.read("stdin"); len(in) < 1<<20 {
		t.Errorf("standard input has %d bytes", len(in))
	}
	s.task.Agent.Exec.Prompt = agents.PromptArgv // too long for an argument: it names the file
	s.run(t.Context())
	if two := s.read("two"); len(two) > 100<<10 || !strings.Contains(two, "document.md") {
		t.Errorf("the argument has %d bytes", len(two))
	}
}

func TestUnknownFieldOfTemplateIsRefusedAtStart(t *testing.T) {
	t.Parallel()
	_, err := exec.Adapter{}.Handler(agents.Spec{Name: "a", Exec: &agents.Exec{Command: []string{"x", "{{.PRP.Nope}}"}}})
	if err == nil || !strings.Contains(err.Error(), "Nope") {
		t.Errorf("got %v", err)
	}
}

func TestLongLinesAreReadAndCutInTheLog(t *testing.T) {
	s := setup(t, `head -c 3000000 /dev/zero | tr '\0' x; echo; printf '\033[31mred\033[0m\007\n'`)
	s.want(s.run(t.Context()), tasks.Done, "")
	log := s.task.Log.String()
	if len(log) > agents.MaxLog || !strings.Contains(log, "bytes of this line cut") || !strings.HasSuffix(log, "\nred\n") {
		t.Errorf("the log has %d bytes and ends %q", len(log), log[max(0, len(log)-80):])
	}
}

func TestDeafChildrenDieWithTheCommand(t *testing.T) {
	s := setup(t, `sh -c 'trap "" TERM; echo $$ >child; while :; do sleep 60; done' & until [ -s child ]; do sleep 0.01; done; exit 0`)
	s.want(s.run(t.Context()), tasks.Done, "")
	s.dead("child")
}

func TestSilenceEndsTheRunAndItsChildren(t *testing.T) {
	s := setup(t, `trap '' TERM; echo $$ >leader; sleep 90 & echo $! >child; wait; wait; sleep 90`)
	s.task.Agent.Exec.IdleTimeout = 200 * time.Millisecond
	s.want(s.run(t.Context()), tasks.Failed, "said nothing for 200ms")
	s.dead("leader")
	s.dead("child")
}

func TestResultCountsWhenTheCommandHangsAfterIt(t *testing.T) {
	s := setup(t, `echo '{"outcome":"rejected","reasons":["x"]}' >"$PRPFLOW_RESULT_FILE"; sleep 90`)
	s.task.Agent.Exec.IdleTimeout = 200 * time.Millisecond
	s.want(s.run(t.Context()), tasks.Rejected, "x")
}

func TestTimeoutEndsATalkativeRun(t *testing.T) {
	s := setup(t, `while :; do echo still here; sleep 0.02; done`)
	s.task.Agent.Exec.IdleTimeout = time.Minute
	ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, agents.ErrTimeout)
	defer cancel()
	s.want(s.run(ctx), tasks.Failed, "longer than its timeout")
}

func TestUnwantedRunIsEndedWithoutResult(t *testing.T) {
	s := setup(t, `trap '' TERM; setsid sh -c 'trap "" TERM; echo $$ >escaped; sleep 90' & until [ -s escaped ]; do sleep 0.01; done; echo $$ >leader; while :; do sleep 90; done`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan tasks.Result, 1)
	go func() { done <- s.run(ctx) }()
	s.await("leader")
	began := time.Now()
	cancel()
	if got := <-done; got.Outcome != "" {
		t.Errorf("got %+v", got)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	s.dead("leader")
	s.dead("escaped")
}
