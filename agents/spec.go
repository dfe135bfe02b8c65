package agents

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Defaults for what neither the agents file nor the lifecycle states.
const (
	DefaultTimeout     = 30 * time.Minute
	DefaultIdleTimeout = 15 * time.Minute
	DefaultGoneAfter   = tasks.DefaultGoneAfter
)

// Spec describes one agent. Exactly one of Exec, Builtin, Tmux and Handler is set.
type Spec struct {
	Name        string        // folded to lower case
	Role        string        // any role that the lifecycle names
	Concurrency int           // runs at a time; 0 = 1
	GoneAfter   time.Duration // without heartbeat for so long its work goes elsewhere; 0 = DefaultGoneAfter
	Exec        *Exec         // a command
	Builtin     string        // one of Builtins
	Tmux        *Tmux         // a program in a tmux pane
	Delay       time.Duration // how long a builtin takes; 0 = at once, sleep: a minute
	Handler     Handler       // a Go function; cannot come from a file
	Repo        Repo
}

// Exec describes an agent that is a command.
type Exec struct {
	Command     []string          // argv, each a text/template
	Prompt      string            // PromptArgv, PromptStdin or PromptFile
	Profile     string            // how the output is read; "" = exit-code
	Timeout     time.Duration     // one run; 0 = the lifecycle's, else DefaultTimeout
	IdleTimeout time.Duration     // without a word; 0 = DefaultIdleTimeout
	Grace       time.Duration     // after the result event of a profile that has one; 0 = 5s
	Retries     *int              // runs after the first; nil = the lifecycle's
	RetryDelay  time.Duration     // before the first of them, then doubled; 0 = the lifecycle's
	Env         map[string]string // added to the agent's environment
}

// Tmux describes an agent that is a program in a tmux pane, typed to by a line that
// names a file.
type Tmux struct {
	Pane    string        // session:window, or %id
	Socket  string        // name of tmux' server; "" = the default one
	Timeout time.Duration // one run; 0 = the lifecycle's, else DefaultTimeout
}

// How a command is told what to do.
const (
	PromptArgv  = "argv"  // the text is the last argument
	PromptStdin = "stdin" // the text is on standard input
	PromptFile  = "file"  // the agent reads PRPFLOW_TASK_FILE; standard input is empty
)

// Repo is the repository that an agent works in.
type Repo struct {
	Path     string // absolute; "" = none
	Worktree bool   // a worktree per PRP
}

// concurrency gives the number of runs at a time.
func (s Spec) concurrency() int { return max(s.Concurrency, 1) }

// goneAfter gives the silence after which the agent counts as gone.
func (s Spec) goneAfter() time.Duration {
	if s.GoneAfter > 0 {
		return s.GoneAfter
	}
	return DefaultGoneAfter
}

// timeout bounds one run of a job: the agent's word, the lifecycle's, ours.
func (s Spec) timeout(job tasks.Job) time.Duration {
	switch {
	case s.Exec != nil && s.Exec.Timeout > 0:
		return s.Exec.Timeout
	case s.Tmux != nil && s.Tmux.Timeout > 0:
		return s.Tmux.Timeout
	case job.Timeout > 0:
		return job.Timeout
	}
	return DefaultTimeout
}

// check says in one sentence what is wrong with a spec, key by key of the file.
func (s Spec) check() (key string, err error) {
	if err := tasks.CheckAgentName(s.Name); err != nil {
		return "name", err
	}
	kinds := 0
	for _, set := range []bool{s.Exec != nil, s.Builtin != "", s.Tmux != nil, s.Handler != nil} {
		if set {
			kinds++
		}
	}
	switch {
	case s.Role == "":
		return "name", fmt.Errorf("agent %s has no role", s.Name)
	case kinds != 1:
		return "name", fmt.Errorf("agent %s needs exactly one of exec, builtin and tmux", s.Name)
	case s.Concurrency < 0:
		return "concurrency", fmt.Errorf("concurrency %d: must be 1 or more", s.Concurrency)
	case s.Builtin != "" && !isBuiltin(s.Builtin):
		return "builtin", fmt.Errorf("builtin %q is unknown: use approve, reject-once, sleep or fail", s.Builtin)
	case s.Tmux != nil && s.Tmux.Pane == "":
		return "tmux", fmt.Errorf("tmux needs a pane, such as \"leadstack:dev-1\"")
	case s.Tmux != nil && s.Concurrency > 1:
		return "concurrency", fmt.Errorf("concurrency %d: a pane does one thing at a time", s.Concurrency)
	case s.Repo.Worktree:
		return "repo.worktree", fmt.Errorf("worktree: true is not supported yet; leave it out and the agent works in repo.path itself")
	case s.Exec != nil:
		return s.Exec.check()
	}
	return "", nil
}

func (e Exec) check() (key string, err error) {
	if len(e.Command) == 0 || e.Command[0] == "" {
		return "exec", fmt.Errorf("exec needs a command, such as [\"./agent.sh\"]")
	}
	switch e.Prompt {
	case PromptArgv, PromptStdin, PromptFile, "":
	default:
		return "exec.prompt", fmt.Errorf("prompt %q is unknown: use argv, stdin or file", e.Prompt)
	}
	switch e.Profile {
	case "exit-code", "":
	case "claude-stream", "jsonl", "last-json-line":
		return "exec.profile", fmt.Errorf("profile %s is not supported yet; use exit-code and let the agent write its result file", e.Profile)
	default:
		return "exec.profile", fmt.Errorf("profile %q is unknown: use exit-code", e.Profile)
	}
	if e.Retries != nil && *e.Retries < 0 {
		return "exec.retries", fmt.Errorf("retries %d: must be 0 or more", *e.Retries)
	}
	return "", nil
}

// anchor makes paths of a file independent of the folder that the program is
// started in. A command counts as the file's neighbour only where one is there.
func (s *Spec) anchor(dir string) {
	if s.Repo.Path != "" && !filepath.IsAbs(s.Repo.Path) {
		s.Repo.Path = filepath.Join(dir, s.Repo.Path)
	}
	if s.Exec == nil || len(s.Exec.Command) == 0 {
		return
	}
	command := s.Exec.Command[0]
	if filepath.IsAbs(command) || filepath.Base(command) == command {
		return
	}
	if near := filepath.Join(dir, command); exists(near) {
		s.Exec.Command[0] = near
	} else if here, err := filepath.Abs(command); err == nil && exists(here) {
		s.Exec.Command[0] = here
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
