package exec

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"text/template"
	"time"

	"github.com/prpflow/prpflow/agents"
)

// Adapter makes agents of commands. It satisfies agents.Adapter.
type Adapter struct {
	Environ []string // environment of the runtime; nil = os.Environ()
	// Ring types a line into the pane of an agent. An error says that nothing was typed.
	// Nil: agents in panes are refused.
	Ring func(ctx context.Context, pane agents.Tmux, line string) error
}

var _ agents.Adapter = Adapter{}

// command is an agent that is a command.
type command struct {
	spec    agents.Exec
	argv    []*template.Template
	inline  bool // the command's own arguments have the prompt in them
	environ []string
	idle    time.Duration
	grace   time.Duration
	repo    string // folder that it works in, "" = one of the run's own
	as      string // user that it runs as, "" = the runtime's
}

// Handler makes the agent; templates that would not expand are refused here.
func (a Adapter) Handler(spec agents.Spec) (agents.Handler, error) {
	if spec.Tmux != nil {
		if a.Ring == nil {
			return nil, fmt.Errorf("exec: agent %s: this program types into no panes", spec.Name)
		}
		return &pane{spec: *spec.Tmux, ring: a.Ring}, nil
	}
	if spec.Exec == nil || len(spec.Exec.Command) == 0 {
		return nil, fmt.Errorf("exec: agent %s has no command", spec.Name)
	}
	c := &command{spec: *spec.Exec, environ: a.Environ, idle: spec.Exec.IdleTimeout, repo: spec.Repo.Path, as: spec.User}
	if c.environ == nil {
		c.environ = os.Environ()
	}
	if c.idle <= 0 {
		c.idle = agents.DefaultIdleTimeout
	}
	if c.grace = spec.Exec.Grace; c.grace <= 0 {
		c.grace = agents.DefaultGrace
	}
	for _, arg := range spec.Exec.Command {
		t, err := expandable(arg)
		if err != nil {
			return nil, fmt.Errorf("exec: agent %s: %w", spec.Name, err)
		}
		c.argv = append(c.argv, t)
		c.inline = c.inline || strings.Contains(arg, ".Prompt")
	}
	return c, nil
}

// CheckCommand says what is wrong with the templates of a command, before anything is
// started.
func CheckCommand(argv []string) error {
	for _, arg := range argv {
		if _, err := expandable(arg); err != nil {
			return err
		}
	}
	return nil
}

// expandable makes the template of an argument.
func expandable(arg string) (*template.Template, error) {
	t, err := template.New("argument").Parse(arg)
	if err == nil {
		err = t.Execute(&bytes.Buffer{}, values{})
	}
	if err != nil {
		return nil, fmt.Errorf("the argument %q of the command cannot be expanded: %w", arg, err)
	}
	return t, nil
}

// values are what a template of the command may name.
type values struct {
	PRP        struct{ ID, Title, Path, SHA256 string }
	Task       struct{ ID, Type string }
	Agent      string
	Role       string
	Attempt    int
	Fence      int64
	TaskFile   string
	ResultFile string
	Document   string
	Dir        string
	Prompt     string
}

// expand gives the argv of a run.
func (c *command) expand(v values) ([]string, error) {
	argv := make([]string, 0, len(c.argv)+1)
	for _, t := range c.argv {
		var b strings.Builder
		if err := t.Execute(&b, v); err != nil {
			return nil, err
		}
		argv = append(argv, b.String())
	}
	if c.spec.Prompt == agents.PromptArgv && !c.inline {
		argv = append(argv, v.Prompt)
	}
	for i := range argv { // reasons and titles are anybody's; no argument can hold a NUL
		argv[i] = strings.ReplaceAll(argv[i], "\x00", "")
	}
	return argv, nil
}

// environment is the runtime's without anything of prpflow's, so that no agent
// holds the address of Redis or a token; then the agent's own; then the run's.
func (c *command) environment(who *identity, run map[string]string) []string {
	var env []string
	for _, v := range c.environ {
		if !strings.HasPrefix(v, "PRPFLOW_") {
			env = append(env, v)
		}
	}
	if who != nil {
		env = append(env, who.environment()...)
	}
	for k, v := range c.spec.Env {
		env = append(env, k+"="+v)
	}
	for k, v := range run {
		env = append(env, k+"="+v)
	}
	return env
}
