package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
	source "go.yaml.in/yaml/v3"

	"github.com/prpflow/prpflow/internal/plain"
	"github.com/prpflow/prpflow/internal/redisconn"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// delim is in no key: redis and redis.tls.ca are both keys, and no tree holds both.
const delim = "\x00"

// flat writes a tree of keys as one level, with dots between them.
func flat(tree map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range tree {
		below, ok := value.(map[string]any)
		if !ok || len(below) == 0 {
			out[name] = value
			continue
		}
		for rest, value := range flat(below) {
			out[name+"."+rest] = value
		}
	}
	return out
}

// loader gathers the layers, the later over the earlier.
type loader struct {
	opts    Options
	env     map[string]string
	all     *koanf.Koanf
	sources map[string]string
	spotted string // the .prpflow/redis.url that was found
	refused error  // why the one that was found is not followed
}

// Load reads the configuration. Its errors are one sentence that names the key
// and where it stands; none holds a secret.
func Load(opts Options) (Config, error) {
	l := &loader{opts: opts, env: environment(opts.Env), all: koanf.New(delim), sources: map[string]string{}}
	for _, layer := range []func() error{l.defaults, l.file, l.environ, l.flags} {
		if err := layer(); err != nil {
			return Config{}, err
		}
	}
	return l.config()
}

func environment(pairs []string) map[string]string {
	m := map[string]string{}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		m[name] = value
	}
	return m
}

// merge lays a layer over those before. A key without a value is as one that is
// not there.
func (l *loader) merge(layer *koanf.Koanf, source func(key) string) error {
	for name, value := range layer.All() {
		k, known := find(name)
		if text, ok := value.(string); !known || value == nil || ok && strings.TrimSpace(text) == "" {
			layer.Delete(name)
			continue
		}
		l.sources[name] = source(k)
	}
	return l.all.Merge(layer)
}

func (l *loader) defaults() error {
	var address, found string
	if !l.opts.OwnRedis {
		address, found, l.refused = redisconn.Find(l.opts.Dir, homeDir(l.env))
	}
	state := stateDir(l.env)
	values := map[string]any{KeyRedis: "redis://127.0.0.1:6379", KeyStateDir: state}
	if found != "" && l.refused == nil {
		values[KeyRedis], l.spotted = address, found
	}
	for _, k := range keys {
		if k.value != "" {
			values[k.name] = k.value
		}
		l.sources[k.name] = fromDefault
	}
	layer := koanf.New(delim)
	if err := layer.Load(confmap.Provider(values, delim), nil); err != nil {
		return fmt.Errorf("read the defaults: %w", err)
	}
	return l.merge(layer, func(k key) string {
		if k.name == KeyRedis && l.spotted != "" {
			return "file " + found
		}
		return fromDefault
	})
}

func (l *loader) file() error {
	name, asked := l.env[fileVariable], true
	if name == "" {
		name, asked = "prpflow.yaml", false
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(l.opts.Dir, name)
	}
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) && !asked {
		return nil
	}
	layer := koanf.New(delim)
	text, err := plain.Named(name, maxFile)
	if err != nil {
		return fmt.Errorf("the configuration file %s %w", name, err)
	}
	values, err := yaml.Parser().Unmarshal(text)
	if err == nil {
		err = alone(text)
	}
	if err == nil {
		err = layer.Load(confmap.Provider(flat(values), delim), nil)
	}
	if err != nil {
		return fmt.Errorf("read the configuration file %s: %w", name, reason(err))
	}
	if err := known(name, layer); err != nil {
		return err
	}
	return l.merge(layer, func(key) string { return "file " + name })
}

// alone refuses a second document, which would be read by nobody.
func alone(text []byte) error {
	d := source.NewDecoder(bytes.NewReader(text))
	for n := 0; ; n++ {
		var document source.Node
		switch err := d.Decode(&document); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case n > 0:
			return fmt.Errorf("a second document begins in line %d, a file holds one", max(document.Line, 1))
		}
	}
}

// reason drops the path that the caller has said already.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// known refuses what no verb reads: it is a typing error more often than not.
func known(name string, layer *koanf.Koanf) error {
	var strange []string
	for k, value := range layer.All() {
		_, ours := find(k)
		empty := value == nil
		if m, ok := value.(map[string]any); ok {
			empty = len(m) == 0
		}
		if !ours && !(empty && group(k)) {
			strange = append(strange, k)
		}
	}
	if len(strange) == 0 {
		return nil
	}
	slices.Sort(strange)
	var names []string
	for _, k := range keys {
		names = append(names, k.name)
	}
	word := "key"
	if len(strange) > 1 {
		word = "keys"
	}
	return fmt.Errorf("%s: unknown %s %s; known are %s", name, word, strings.Join(strange, ", "), strings.Join(names, ", "))
}

func (l *loader) environ() error {
	layer := koanf.New(delim)
	names := map[string]key{}
	for _, k := range keys {
		names[k.variable()] = k
	}
	err := layer.Load(env.Provider(delim, env.Opt{
		Prefix:      prefix,
		EnvironFunc: func() []string { return l.opts.Env },
		TransformFunc: func(name, value string) (string, any) {
			return names[name].name, value // "" is left out: other variables are not ours to judge
		},
	}), nil)
	if err != nil {
		return fmt.Errorf("read the environment: %w", err)
	}
	return l.merge(layer, func(k key) string { return "environment " + k.variable() })
}

func (l *loader) flags() error {
	if l.opts.Flags == nil {
		return nil
	}
	names := map[string]key{}
	for _, k := range keys {
		if k.flag() != "" {
			names[k.flag()] = k
		}
	}
	var empty error
	layer := koanf.New(delim)
	err := layer.Load(posflag.ProviderWithFlag(l.opts.Flags, delim, nil, func(f *pflag.Flag) (string, any) {
		k, ours := names[f.Name]
		if !ours || !f.Changed {
			return "", nil
		}
		if f.Value.String() == "" { // most often a shell variable that is not set
			empty = fmt.Errorf("--%s was given without a value", f.Name)
		}
		return k.name, f.Value.String()
	}), nil)
	if err = errors.Join(empty, err); err != nil {
		return err
	}
	return l.merge(layer, func(k key) string { return "flag --" + k.flag() })
}

// config gives the values their types.
func (l *loader) config() (Config, error) {
	if l.refused != nil && l.sources[KeyRedis] == fromDefault {
		return Config{}, l.refused // not where another Redis is named
	}
	c := Config{Sources: l.sources, written: map[string]string{}}
	if l.spotted != "" && l.sources[KeyRedis] == "file "+l.spotted {
		c.RedisFile = l.spotted
	}
	var err error
	for _, k := range keys {
		var text string
		if text, err = l.text(k); err == nil {
			err = c.set(k.name, text)
		}
		if err != nil {
			return Config{}, fmt.Errorf("%s (%s): %w", k.name, l.sources[k.name], err)
		}
	}
	if c.Redis, err = redisconn.WithTLS(c.Redis, c.tls); err != nil {
		return Config{}, fmt.Errorf("%s (%s): %w", KeyRedis, l.sources[KeyRedis], err)
	}
	if c.SpoolDir == "" {
		c.SpoolDir = filepath.Join(c.StateDir, "spool")
		c.written[KeySpoolDir] = c.SpoolDir
	}
	return c, nil
}

// text is a value as one would write it on the command line.
func (l *loader) text(k key) (string, error) {
	switch v := l.all.Get(k.name).(type) {
	case nil:
		return "", nil
	case []any:
		if k.name != KeyAPITokens && k.name != KeyHosts {
			return "", errors.New("one value is wanted, not a list")
		}
		parts := make([]string, len(v))
		for i, part := range v {
			parts[i] = fmt.Sprint(part)
		}
		return strings.Join(parts, ","), nil
	case map[string]any:
		return "", errors.New("one value is wanted, not a group of keys")
	default:
		return strings.TrimSpace(fmt.Sprint(v)), nil
	}
}
