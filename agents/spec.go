package agents

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prpflow/prpflow/bus"
	"github.com/prpflow/prpflow/tasks"
)

// Defaults for what neither the agents file nor the lifecycle states.
const (
	DefaultTimeout     = 30 * time.Minute
	DefaultIdleTimeout = 15 * time.Minute
	DefaultGrace       = 5 * time.Second
	DefaultGoneAfter   = tasks.DefaultGoneAfter
)

// Bounds of an agents file. A process that is silent for less than one heartbeat and
// its slack is not gone.
const (
	MaxConcurrency = 1000
	MinGoneAfter   = 3 * time.Second
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
	User        string        // user of the machine that a command runs as; "" = that of the runtime. Needs root
	Repo        Repo
}

// Exec describes an agent that is a command.
type Exec struct {
	Command     []string          // argv, each a text/template
	Prompt      string            // PromptArgv, PromptStdin or PromptFile
	Profile     string            // how the output is read; "" = exit-code
	Timeout     time.Duration     // one run; 0 = the lifecycle's, else DefaultTimeout
	IdleTimeout time.Duration     // without a word; 0 = DefaultIdleTimeout
	Grace       time.Duration     // from a complete result file to the end of all that the run started; 0 = DefaultGrace
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
	if _, err := bus.Channel(s.Name); err != nil {
		return "name", fmt.Errorf("agent name %q: it is the channel to everybody", s.Name)
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
	case s.Concurrency < 0 || s.Concurrency > MaxConcurrency:
		return "concurrency", fmt.Errorf("concurrency %d: must be between 1 and %d", s.Concurrency, MaxConcurrency)
	case s.Builtin != "" && !isBuiltin(s.Builtin):
		return "builtin", fmt.Errorf("builtin %q is unknown: use approve, reject-once, sleep or fail", s.Builtin)
	case s.User != "" && s.Exec == nil:
		return "user", fmt.Errorf("user %s: only an agent with exec can run as another user", s.User)
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
	if len(e.Command) == 0 || strings.TrimSpace(e.Command[0]) == "" {
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
	for key, value := range e.Env {
		switch {
		case key == "" || strings.ContainsAny(key, "=\x00"):
			return "exec.env", fmt.Errorf("env %q is no name of a variable: it must not be empty nor hold = or NUL", key)
		case strings.ContainsRune(value, 0):
			return "exec.env", fmt.Errorf("env %s has a NUL in its value, which no environment can hold", key)
		}
	}
	for i, arg := range e.Command {
		if strings.ContainsRune(arg, 0) {
			return "exec.command", fmt.Errorf("argument %d of the command has a NUL, which no argument can hold", i)
		}
	}
	return "", nil
}

// anchor makes paths of a file independent of the folder that the program is
// started in, and of that in which a run works. A command and its arguments count as
// the file's neighbours where such are there; in a repository only the command does.
func (s *Spec) anchor(dir string) {
	if s.Repo.Path != "" && !filepath.IsAbs(s.Repo.Path) {
		s.Repo.Path = filepath.Join(dir, s.Repo.Path)
	}
	if s.Exec == nil || len(s.Exec.Command) == 0 {
		return
	}
	for i, arg := range s.Exec.Command {
		program := i == 0
		switch {
		case filepath.IsAbs(arg), program && filepath.Base(arg) == arg, !program && (s.Repo.Path != "" || !isFileName(arg)):
			continue
		}
		near := filepath.Join(dir, arg)
		here, err := filepath.Abs(arg)
		switch {
		case isFile(near), program && s.Repo.Path == "" && (err != nil || !isFile(here)):
			s.Exec.Command[i] = near
		case err == nil && isFile(here):
			s.Exec.Command[i] = here
		}
	}
}

// isFileName tells an argument that may name a file from a flag, a word or a text.
func isFileName(arg string) bool {
	return strings.ContainsAny(arg, "/.") && len(arg) < 256 && !strings.HasPrefix(arg, "-") && !strings.ContainsAny(arg, " \n\x00{")
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
