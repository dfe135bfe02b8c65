package exec_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/agents/exec"
	"github.com/prpflow/prpflow/tasks"
)

func TestBrokenResultFileIsAFailureInOneSentence(t *testing.T) {
	for script, sentence := range map[string]string{
		`echo '{"outcome":' >"$F"`:                                  "not the JSON that is asked for",
		`echo '{"outcome":"great"}' >"$F"`:                          `unknown outcome "great"`,
		`echo '{"outcome":"question"}' >"$F"`:                       "no question",
		`echo '{"outcome":"done"}{"outcome":"failed"}' >"$F"`:       "after top-level value",
		`head -c 1100000 /dev/zero >"$F"`:                           "the result file has 1100000 bytes, at most 1048576",
		`truncate -s 1T "$F"`:                                       "the result file has 1099511627776 bytes",
		`mkfifo "$F"`:                                               "the result file is a named pipe",
		`mkdir "$F"`:                                                "the result file is a folder",
		`echo '{"outcome":"done"}' >real; ln -s "$PWD/real" "$F"`:   "the result file is a symbolic link",
		`ln -s /dev/zero "$F"`:                                      "file is a symbolic link",
		`: >"$F"`:                                                   "unexpected end",
		`echo null >"$F"`:                                           `unknown outcome ""`,
		`printf '\377\376{\000' >"$F"`:                              "invalid character",
		`rm -r "${F%/*}"; echo x >"${F%/*}"`:                        "not a directory",
		`(printf '{"outcome":"'; fill 900000 x; printf '"}') >"$F"`: `unknown outcome "xxx`,
		`(printf '{"outcome":"done","evidence":{"log":"'; fill 70000 x; printf '"}}') >"$F"`:           "at most 65536 are allowed",
		`(printf '{"outcome":"done","evidence":{"a":'; fill 9000 '['; fill 9000 ']'; echo '}}') >"$F"`: "9001 levels",
	} {
		t.Run(sentence, func(t *testing.T) {
			s := setup(t, `fill() { head -c "$1" /dev/zero | tr '\0' "$2"; }; F=$PRPFLOW_RESULT_FILE; `+script+"; exit 0")
			got := s.run(t.Context())
			s.want(got, tasks.Failed, sentence)
			if r := strings.Join(got.Reasons, "\n"); strings.Contains(r, "\n") || len(r) > 400 {
				t.Errorf("%.500q is no short sentence", r)
			}
		})
	}
}

func TestResultInAnotherEncodingCountsWhereItsMeaningIsClear(t *testing.T) {
	for name, script := range map[string]string{
		"byte order mark": `printf '\357\273\277{"outcome":"rejected","reasons":["x"]}' >"$PRPFLOW_RESULT_FILE"`,
		"Latin-1 text":    `printf '{"outcome":"rejected","reasons":["x \374"]}' >"$PRPFLOW_RESULT_FILE"`,
	} {
		t.Run(name, func(t *testing.T) {
			s := setup(t, script)
			got := s.run(t.Context())
			s.want(got, tasks.Rejected, "x")
			if !utf8.ValidString(strings.Join(got.Reasons, "")) {
				t.Errorf("%q is no text", got.Reasons)
			}
		})
	}
}

func TestOutputWithoutEndAndNewlineIsBounded(t *testing.T) {
	s := setup(t, `printf begin; head -c 100000000 /dev/zero | tr '\0' x; echo end >&2; exit 1`)
	s.want(s.run(t.Context()), tasks.Failed, "end")
	log := s.task.Log.String()
	if len(log) > 3*agents.MaxLogLine || !strings.HasPrefix(log, "begin") || !strings.Contains(log, "bytes of this line cut") {
		t.Errorf("the log has %d bytes", len(log))
	}
	if n := s.task.Log.Written(); n != 100_000_009 {
		t.Errorf("%d bytes were read", n)
	}
}

func TestCommandThatCannotBeStartedSaysWhy(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct{ command, repo, want string }{
		{"/no/such/command", "", "/no/such/command cannot be started: no such file or directory"},
		{"no-such-command-anywhere", "", "executable file not found"},
		{file("plain", "#!/bin/sh\n", 0o600), "", "permission denied"},
		{file("text", "no program\n", 0o700), "", "exec format error"},
		{dir, "", dir + " cannot be started: is a directory"},
		{file("dos", "#!/bin/sh\r\necho\r\n", 0o700), "", "carriage return"},
		{file("odd", "#! /no/such/interpreter -x\n", 0o700), "", "its interpreter /no/such/interpreter is missing"},
		{"/bin/true", filepath.Join(dir, "gone"), "repo.path " + filepath.Join(dir, "gone")},
		{"/bin/true", file("file", "", 0o600), "it is no folder"},
	} {
		t.Run(c.want, func(t *testing.T) {
			s := setup(t, "")
			s.task.Agent.Exec.Command = []string{c.command}
			s.task.Agent.Repo.Path = c.repo
			got := s.run(t.Context())
			if got.Outcome != "" || !strings.Contains(got.Unwell, c.want) {
				t.Errorf("got %+v", got)
			}
			h, err := exec.Adapter{}.Handler(s.task.Agent)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.(agents.Checker).Check(); c.want != "exec format error" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("before its first run it says %v", err)
			}
		})
	}
}

func TestCommandWorksInItsRepository(t *testing.T) {
	s := setup(t, "")
	s.task.Agent.Repo.Path = filepath.Dir(s.task.Dir)
	s.task.Agent.Exec.Command = []string{"/bin/sh", "-c", "pwd >where"}
	s.want(s.run(t.Context()), tasks.Done, "")
	if got := strings.TrimSpace(s.read("where")); filepath.Base(got) != filepath.Base(s.task.Agent.Repo.Path) {
		t.Errorf("it works in %s", got)
	}
}

func TestAgentsOwnEnvironmentDoesNotReplaceTheRuns(t *testing.T) {
	s := setup(t, `env >env`)
	s.env = []string{"PATH=" + os.Getenv("PATH"), "PRPFLOW_RESULT_FILE=/outer", "PRPFLOW_TASK_ID=outer", "PRPFLOW_NEW=secret", "XPRPFLOW_=kept"}
	s.task.Agent.Exec.Env = map[string]string{"PRPFLOW_RESULT_FILE": "/mine", "PRPFLOW_FENCE": "99"}
	s.want(s.run(t.Context()), tasks.Done, "")
	var got []string
	for line := range strings.Lines(s.read("env")) {
		if strings.Contains(line, "PRPFLOW_") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	for _, want := range []string{
		"PRPFLOW_RESULT_FILE=" + filepath.Join(s.task.Dir, "result.json"), "PRPFLOW_TASK_FILE=" + filepath.Join(s.task.Dir, "task.json"),
		"PRPFLOW_FENCE=3", "PRPFLOW_ATTEMPT=2", "PRPFLOW_TASK_ID=PRP-1:3:ab", "PRPFLOW_PRP_ID=PRP-1", "XPRPFLOW_=kept",
	} {
		if strings.Count(strings.Join(got, "\n")+"\n", want+"\n") != 1 {
			t.Errorf("%s is not there, or twice", want)
		}
	}
	if len(got) != 7 {
		t.Errorf("the environment has %q", got)
	}
}

func TestPromptFitsIntoAnArgumentWhateverOthersWrote(t *testing.T) {
	long := strings.Repeat("y", 1<<20)
	for name, change := range map[string]func(*agents.Task){
		"document": func(task *agents.Task) { task.Document = []byte(long) },
		"reasons":  func(task *agents.Task) { task.Reasons = []string{"first", long} },
		"answer":   func(task *agents.Task) { task.Answer, task.Questions = long, nil },
		"question": func(task *agents.Task) { task.Questions = []tasks.Exchange{{Question: long}} },
		"title":    func(task *agents.Task) { task.Title = long },
		"NUL":      func(task *agents.Task) { task.Document, task.Title = []byte("a\x00b"), "c\x00d" },
	} {
		t.Run(name, func(t *testing.T) {
			s := setup(t, `printf '%s' "$1" >prompt; cp "$PRPFLOW_TASK_FILE" task`)
			s.task.Agent.Exec.Prompt = agents.PromptArgv
			change(&s.task)
			s.want(s.run(t.Context()), tasks.Done, "")
			if got := s.read("prompt"); len(got) > 100<<10 || !strings.Contains(got, "PRP-1") || !strings.Contains(got, filepath.Join(s.task.Dir, "task.json")) {
				t.Errorf("the prompt has %d bytes: %.200s", len(got), got)
			}
			if name != "NUL" && name != "document" && !strings.Contains(s.read("task"), long) {
				t.Error("the task file lacks it")
			}
		})
	}
}

func TestAgentThatSpoilsItsFolderHoldsNobodyUp(t *testing.T) {
	for name, script := range map[string]string{
		"pipes":   `rm -f *; mkfifo group.json delivery.json result.json task.json`,
		"folders": `rm -f *; mkdir group.json delivery.json result.json`,
		"gone":    `rm -rf "$PWD"`,
	} {
		t.Run(name, func(t *testing.T) {
			s := setup(t, `cd "${PRPFLOW_RESULT_FILE%/*}"; `+script+"; exit 3")
			s.want(s.run(t.Context()), tasks.Failed, "")
			if err := (exec.Adapter{}).Reap(s.task.Dir); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestStoppedAgentIsEndedToo(t *testing.T) {
	s := setup(t, `echo $$ >leader; kill -STOP $$; echo '{"outcome":"done"}' >"$PRPFLOW_RESULT_FILE"`)
	s.task.Agent.Exec.IdleTimeout = 200 * time.Millisecond
	s.want(s.run(t.Context()), tasks.Failed, "said nothing")
	s.dead("leader")
}

func TestAgentThatClosesItsOutputIsStillWatched(t *testing.T) {
	s := setup(t, `exec >&- 2>&-; echo $$ >leader; sleep 90`)
	s.task.Agent.Exec.IdleTimeout = 200 * time.Millisecond
	s.want(s.run(t.Context()), tasks.Failed, "said nothing")
	s.dead("leader")
}

func TestDaemonThatKeepsThePipesHoldsNoRunUpAndGoesWithIt(t *testing.T) {
	s := setup(t, `setsid sh -c 'echo $$ >daemon; exec sleep 90' & until [ -s daemon ]; do sleep 0.01; done; exit 0`)
	began := time.Now()
	s.want(s.run(t.Context()), tasks.Done, "")
	s.dead("daemon")
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the run took %s", took)
	}
}

// Each head of the hydra grows the next one in a session of its own.
func TestUnwantedAgentCannotForkAway(t *testing.T) {
	s := setup(t, `echo 'trap "" TERM HUP; echo $$ >"head-$1"; sleep 0.05; [ "$1" -lt 40 ] && setsid sh hydra.sh $(($1 + 1)) & sleep 90' >hydra.sh
		setsid sh hydra.sh 1 & until [ -s head-3 ]; do sleep 0.01; done; echo $$ >leader; sleep 90`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan tasks.Result, 1)
	go func() { done <- s.run(ctx) }()
	s.await("leader")
	cancel()
	if got := <-done; got.Outcome != "" {
		t.Errorf("got %+v", got)
	}
	s.dead("leader")
	for n := 1; n <= 40; n++ {
		name := fmt.Sprintf("head-%d", n)
		if b, err := os.ReadFile(filepath.Join(filepath.Dir(s.task.Dir), name)); err == nil && len(b) > 1 {
			s.dead(name)
		}
	}
}
