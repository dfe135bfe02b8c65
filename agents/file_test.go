package agents_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/prpflow/prpflow/agents"
)

// load writes an agents file and reads it.
func load(t *testing.T, text string) (string, []agents.Spec, error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "agents.yaml")
	for name, text := range map[string]string{path: text, filepath.Join(dir, "agent.sh"): ""} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	specs, err := agents.LoadFile(path)
	return dir, specs, err
}

func TestAgentsFileIsReadAsWritten(t *testing.T) {
	t.Parallel()
	service := t.TempDir()
	dir, got, err := load(t, `agents:
  - name: Dev-1
    role: developer            # any role
    concurrency: 2
    gone_after: 6s
    exec:
      command: ["./agent.sh", "--flag", "{{.PRP.ID}}"]
      prompt: file
      profile: exit-code
      timeout: 30m
      idle_timeout: 15m
      grace: 5s
      retries: 0
      retry_delay: 10s
      env: {KEY: value, N: 3}
    repo: {path: "`+service+`"}
  - name: validator
    role: validator
    builtin: approve
    delay: 200ms
`)
	if err != nil {
		t.Fatal(err)
	}
	none := 0
	want := []agents.Spec{{
		Name: "dev-1", Role: "developer", Concurrency: 2, GoneAfter: 6 * time.Second,
		Exec: &agents.Exec{
			Command: []string{filepath.Join(dir, "agent.sh"), "--flag", "{{.PRP.ID}}"},
			Prompt:  "file", Profile: "exit-code", Timeout: 30 * time.Minute, IdleTimeout: 15 * time.Minute,
			Grace: 5 * time.Second, Retries: &none, RetryDelay: 10 * time.Second, Env: map[string]string{"KEY": "value", "N": "3"},
		},
		Repo: agents.Repo{Path: service},
	}, {Name: "validator", Role: "validator", Builtin: "approve", Delay: 200 * time.Millisecond}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNotInTheFileStaysZero(t *testing.T) {
	t.Parallel()
	_, got, err := load(t, "agents:\n  - name: a\n    role: r\n    exec: {command: [x]}\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]agents.Spec{{Name: "a", Role: "r", Exec: &agents.Exec{Command: []string{"x"}}}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBadAgentsFileIsRefusedWithFileAndLine(t *testing.T) {
	t.Parallel()
	const head = "agents:\n  - name: dev-1\n    role: developer\n"
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":        {head + "    concurency: 2\n    builtin: approve\n", `:4: unknown key "concurency"`},
		"unknown top key":    {"agent: []\n", `:1: unknown key "agent"`},
		"unknown exec key":   {head + "    exec:\n      command: [x]\n      retry: 2\n", `:6: unknown key "retry"`},
		"bad name":           {"agents:\n  - role: r\n    name: bad name\n    builtin: fail\n", `:3: agent name "bad name"`},
		"no name":            {"agents:\n  - role: r\n    builtin: fail\n", `agent name ""`},
		"twice":              {head + "    builtin: fail\n  - name: DEV-1\n    role: r\n    builtin: fail\n", ":5: agent dev-1 is defined twice"},
		"no role":            {"agents:\n  - name: a\n    builtin: fail\n", ":2: agent a has no role"},
		"no kind":            {head, "exactly one of exec, builtin and tmux"},
		"two kinds":          {head + "    builtin: fail\n    exec: {command: [x]}\n", "exactly one of exec, builtin and tmux"},
		"unknown builtin":    {head + "    builtin: cheer\n", `:4: builtin "cheer" is unknown`},
		"no command":         {head + "    exec: {prompt: file}\n", "exec needs a command"},
		"unknown prompt":     {head + "    exec:\n      command: [x]\n      prompt: mail\n", `:6: prompt "mail" is unknown`},
		"later profile":      {head + "    exec:\n      command: [x]\n      profile: claude-stream\n", ":6: profile claude-stream is not supported yet"},
		"unknown profile":    {head + "    exec:\n      command: [x]\n      profile: x\n", `:6: profile "x" is unknown`},
		"bare number":        {head + "    exec:\n      command: [x]\n      timeout: 30\n", `:6: timeout "30": want a number and a unit`},
		"negative retries":   {head + "    exec:\n      command: [x]\n      retries: -1\n", ":6: retries -1"},
		"worktree":           {head + "    builtin: fail\n    repo: {path: x, worktree: true}\n", ":5: worktree: true is not supported yet"},
		"no repository":      {head + "    builtin: fail\n    repo:\n      path: ./gone\n", ":6: repo.path "},
		"half a run":         {head + "    concurrency: 1.5\n    builtin: fail\n", ":4: concurrency must be a whole number"},
		"too many runs":      {head + "    concurrency: 1000000000\n    builtin: fail\n", ":4: concurrency 1000000000: must be between 1 and 1000"},
		"gone too soon":      {head + "    gone_after: 100ms\n    builtin: fail\n", ":4: gone_after 100ms: must be at least 3s"},
		"user of a builtin":  {head + "    user: nobody\n    builtin: fail\n", ":4: user nobody: only an agent with exec"},
		"odd variable":       {head + "    exec:\n      command: [x]\n      env: {\"A=B\": c}\n", `:6: env "A=B" is no name of a variable`},
		"nothing":            {"agents: []\n", ":1: no agents"},
		"broken YAML":        {"agents:\n  - name: [\n", "agents.yaml:"},
		"list for a mapping": {"agents:\n  - name: dev-1\n    role: developer\n    exec: [x]\n", "agents.yaml:4:"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := load(t, c.text)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "agents.yaml:") || strings.Contains(err.Error(), "\n") {
				t.Errorf("want one sentence with %q, got %v", c.want, err)
			}
		})
	}
}

func TestMissingAgentsFileIsAnError(t *testing.T) {
	t.Parallel()
	if _, err := agents.LoadFile(filepath.Join(t.TempDir(), "none.yaml")); !os.IsNotExist(err) && (err == nil || !strings.Contains(err.Error(), "none.yaml")) {
		t.Errorf("got %v", err)
	}
}
