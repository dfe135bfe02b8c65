package agents

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// fileForm is the agents file as it is written. Durations are text, so that a
// bare number is refused instead of being read as nanoseconds.
type fileForm struct {
	Agents []agentForm `yaml:"agents"`
}

type agentForm struct {
	Name        string    `yaml:"name"`
	Role        string    `yaml:"role"`
	Concurrency int       `yaml:"concurrency"`
	GoneAfter   string    `yaml:"gone_after"`
	Exec        *execForm `yaml:"exec"`
	Builtin     string    `yaml:"builtin"`
	Tmux        *struct {
		Pane    string `yaml:"pane"`
		Socket  string `yaml:"socket"`
		Timeout string `yaml:"timeout"`
	} `yaml:"tmux"`
	Delay string `yaml:"delay"`
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
	Retries     *int              `yaml:"retries"`
	RetryDelay  string            `yaml:"retry_delay"`
	Env         map[string]string `yaml:"env"`
}

// LoadFile reads an agents file. What is not in the file stays zero, so that
// the lifecycle can have its say. An error names file and line.
func LoadFile(path string) ([]Spec, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("agents file: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("agents file: %w", err)
	}
	specs, err := parse(path, source)
	for i := range specs {
		specs[i].anchor(dir)
	}
	return specs, err
}

// decode reads YAML, into a value and as a tree that knows its lines. Some texts
// that are none make the library panic.
func decode(source []byte, into any) (tree *ast.File, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the text is no YAML that can be read")
		}
	}()
	if err := yaml.UnmarshalWithOptions(source, into, yaml.Strict()); err != nil {
		return nil, err
	}
	return parser.ParseBytes(source, 0)
}

func parse(path string, source []byte) ([]Spec, error) {
	f := file{path: path}
	var form fileForm
	tree, err := decode(source, &form)
	if err != nil {
		return nil, f.yamlError(err)
	}
	f.tree = tree
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
			return nil, f.refuse(at+".name", fmt.Errorf("agent %s is there twice", s.Name))
		}
		seen[s.Name] = true
		specs = append(specs, s)
	}
	return specs, nil
}

// file knows at which line a key stands.
type file struct {
	path string
	tree *ast.File
}

func (f file) spec(at string, a agentForm) (Spec, error) {
	s := Spec{
		Name: strings.ToLower(a.Name), Role: a.Role, Concurrency: a.Concurrency, Builtin: a.Builtin,
	}
	if a.Repo != nil {
		s.Repo = Repo{Path: a.Repo.Path, Worktree: a.Repo.Worktree}
	}
	spans := []span{{"gone_after", a.GoneAfter, &s.GoneAfter}, {"delay", a.Delay, &s.Delay}}
	if e := a.Exec; e != nil {
		s.Exec = &Exec{Command: e.Command, Prompt: e.Prompt, Profile: e.Profile, Retries: e.Retries, Env: e.Env}
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

// refuse puts file and line before a sentence; at is the path of the key, of
// which as much is used as the file has.
func (f file) refuse(at string, err error) error {
	line := 1
	for at != "" && f.tree != nil {
		if p, perr := yaml.PathString("$." + strings.TrimSuffix(at, ".")); perr == nil {
			if n, ferr := p.FilterFile(f.tree); ferr == nil && n != nil {
				line = n.GetToken().Position.Line
				break
			}
		}
		at = at[:max(strings.LastIndexByte(at, '.'), 0)]
	}
	return fmt.Errorf("%s:%d: %w", f.path, line, err)
}

// yamlError turns the library's many-line message into one sentence.
func (f file) yamlError(err error) error {
	var y yaml.Error
	if !errors.As(err, &y) || y.GetToken() == nil {
		return fmt.Errorf("%s:1: %w", f.path, err)
	}
	text := y.GetMessage()
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		text = fmt.Sprintf("unknown key %q", y.GetToken().Value)
	}
	return fmt.Errorf("%s:%d: %s", f.path, y.GetToken().Position.Line, text)
}
