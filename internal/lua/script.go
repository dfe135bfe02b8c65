package lua

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Script is a script whose header is true. It is safe for concurrent use.
type Script struct {
	name   string
	header header
	script *redis.Script
}

// Load reads lua/<name>.lua and refuses it where its header and its body do not
// agree.
func Load(files fs.FS, name string) (*Script, error) {
	source, err := fs.ReadFile(files, "lua/"+name+".lua")
	if err != nil {
		return nil, fmt.Errorf("lua: load %s: %w", name, err)
	}
	head, lines, err := assemble(files, string(source))
	if err == nil {
		err = check(head, lines)
	}
	if err != nil {
		return nil, fmt.Errorf("lua: %s.lua: %w", name, err)
	}
	return &Script{name: name, header: head, script: redis.NewScript(strings.Join(lines, "\n"))}, nil
}

// Name is the file's name without its extension.
func (s *Script) Name() string { return s.name }

// Queue adds the script to a pipeline by its hash. Where the answer is
// redis.HasErrorPrefix(err, "NOSCRIPT"), the server does not know it yet: Run does.
func (s *Script) Queue(ctx context.Context, pipe redis.Pipeliner, keys []string, args ...any) *redis.Cmd {
	if err := s.admit(keys, len(args)); err != nil {
		cmd := redis.NewCmd(ctx)
		cmd.SetErr(fmt.Errorf("lua: run %s: %w", s.name, err))
		return cmd
	}
	return pipe.EvalSha(ctx, s.script.Hash(), keys, args...)
}

// Run sends the script by its hash, and whole where the server does not know it.
// What the header does not allow never leaves this process: a wrong number of
// keys or arguments, or keys of more than one hash tag, which a cluster could
// not run. A script behind rdb may be sent twice, so it must be safe to run twice.
func (s *Script) Run(ctx context.Context, rdb redis.Scripter, keys []string, args ...any) *redis.Cmd {
	if err := s.admit(keys, len(args)); err != nil {
		cmd := redis.NewCmd(ctx)
		cmd.SetErr(fmt.Errorf("lua: run %s: %w", s.name, err))
		return cmd
	}
	return s.script.Run(ctx, rdb, keys, args...)
}

func (s *Script) admit(keys []string, args int) error {
	if !s.header.keys.allows(len(keys)) {
		return fmt.Errorf("it takes %s keys, not %d", s.header.keys, len(keys))
	}
	if !s.header.args.allows(args) {
		return fmt.Errorf("it takes %s arguments, not %d", s.header.args, args)
	}
	for i, key := range keys {
		if key == "" {
			return fmt.Errorf("key %d is empty", i+1)
		}
		if tag(key) != tag(keys[0]) {
			return fmt.Errorf("keys %s and %s are not under one hash tag", keys[0], key)
		}
	}
	return nil
}

// tag is the part of a key that Redis Cluster hashes.
func tag(key string) string {
	if _, after, ok := strings.Cut(key, "{"); ok {
		if inside, _, ok := strings.Cut(after, "}"); ok && inside != "" {
			return inside
		}
	}
	return key
}
