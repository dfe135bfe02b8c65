package agents

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prpflow/prpflow/internal/plain"
)

// fileForm is the agents file as it is written. Durations are text, so that a
// bare number is refused instead of being read as nanoseconds.
type fileForm struct {
	Agents []agentForm `yaml:"agents"`
}

type agentForm struct {
	Name        string    `yaml:"name"`
	Role        string    `yaml:"role"`
	Concurrency whole     `yaml:"concurrency"`
	GoneAfter   string    `yaml:"gone_after"`
	Exec        *execForm `yaml:"exec"`
	Builtin     string    `yaml:"builtin"`
	Tmux        *struct {
		Pane    string `yaml:"pane"`
		Socket  string `yaml:"socket"`
		Timeout string `yaml:"timeout"`
	} `yaml:"tmux"`
	Delay string `yaml:"delay"`
	User  string `yaml:"user"`
	Repo  *struct {
		Path     string `yaml:"path"`
		Worktree bool   `yaml:"worktree"`
	} `yaml:"repo"`
}

type execForm struct {
	Command     []string          `yaml:"command"`
	Prompt      string            `yaml:"prompt"`
	Profile     string            `yaml:"profile"`
	Timeout     string            `yaml:"timeout"`
	IdleTimeout string            `yaml:"idle_timeout"`
	Grace       string            `yaml:"grace"`
	Retries     *whole            `yaml:"retries"`
	RetryDelay  string            `yaml:"retry_delay"`
	Env         map[string]string `yaml:"env"`
}

// maxFile bounds an agents file, in bytes.
const maxFile = 1 << 20

// LoadFile reads an agents file. What is not in the file stays zero, so that
// the lifecycle can have its say. An error names file and line.
func LoadFile(path string) ([]Spec, error) {
	source, err := plain.Named(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("the agents file %s %w", path, err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("agents file: %w", err)
	}
	f := file{path: path}
	specs, err := f.parse(source)
	for i := range specs {
		specs[i].anchor(dir)
		if repo := specs[i].Repo.Path; repo != "" && err == nil {
			if info, serr := os.Stat(repo); serr != nil || !info.IsDir() {
				err = f.refuse(fmt.Sprintf("agents[%d].repo.path", i), fmt.Errorf("repo.path %s of agent %s is not a folder", repo, specs[i].Name))
			}
		}
	}
	return specs, err
}

func (f *file) parse(source []byte) ([]Spec, error) {
	form, err := f.decode(source)
	if err != nil {
		return nil, err
	}
	if len(form.Agents) == 0 {
		return nil, f.refuse("", errors.New("no agents; want a list under the key agents"))
	}
	specs := make([]Spec, 0, len(form.Agents))
	seen := map[string]bool{}
	for i, a := range form.Agents {
		at := fmt.Sprintf("agents[%d]", i)
		s, err := f.spec(at, a)
		if err != nil {
			return nil, err
		}
		if key, err := s.check(); err != nil {
			return nil, f.refuse(at+"."+key, err)
		}
		if seen[s.Name] {
			return nil, f.refuse(at+".name", fmt.Errorf("agent %s is defined twice", s.Name))
		}
		if s.GoneAfter > 0 && s.GoneAfter < MinGoneAfter {
			return nil, f.refuse(at+".gone_after", fmt.Errorf("gone_after %s: must be at least %s, one heartbeat and some slack", s.GoneAfter, MinGoneAfter))
		}
		seen[s.Name] = true
		specs = append(specs, s)
	}
	return specs, nil
}

func (f *file) spec(at string, a agentForm) (Spec, error) {
	s := Spec{
		Name: strings.ToLower(a.Name), Role: a.Role, Concurrency: int(a.Concurrency), Builtin: a.Builtin, User: a.User,
	}
	if a.Repo != nil {
		s.Repo = Repo{Path: a.Repo.Path, Worktree: a.Repo.Worktree}
	}
	spans := []span{{"gone_after", a.GoneAfter, &s.GoneAfter}, {"delay", a.Delay, &s.Delay}}
	if e := a.Exec; e != nil {
		s.Exec = &Exec{Command: e.Command, Prompt: e.Prompt, Profile: e.Profile, Retries: (*int)(e.Retries), Env: e.Env}
		spans = append(spans,
			span{"exec.timeout", e.Timeout, &s.Exec.Timeout},
			span{"exec.idle_timeout", e.IdleTimeout, &s.Exec.IdleTimeout},
			span{"exec.grace", e.Grace, &s.Exec.Grace},
			span{"exec.retry_delay", e.RetryDelay, &s.Exec.RetryDelay})
	}
	if t := a.Tmux; t != nil {
		s.Tmux = &Tmux{Pane: t.Pane, Socket: t.Socket}
		spans = append(spans, span{"tmux.timeout", t.Timeout, &s.Tmux.Timeout})
	}
	for _, p := range spans {
		if err := p.read(); err != nil {
			return s, f.refuse(at+"."+p.key, err)
		}
	}
	return s, nil
}

// span is a duration in the file.
type span struct {
	key, text string
	to        *time.Duration
}

func (p span) read() error {
	if p.text == "" {
		return nil
	}
	d, err := time.ParseDuration(p.text)
	if err != nil || d < 0 {
		name := p.key[strings.LastIndexByte(p.key, '.')+1:]
		return fmt.Errorf("%s %q: want a number and a unit, such as 30s", name, p.text)
	}
	*p.to = d
	return nil
}
