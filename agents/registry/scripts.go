package registry

import (
	"embed"
	"fmt"

	"github.com/prpflow/prpflow/internal/lua"
)

//go:embed lua/*.lua
var sources embed.FS

// scripts are the registry's writes and reads, each one atomic.
type scripts struct{ beat, leave, forget, read *lua.Script }

func load() (s scripts, err error) {
	for name, to := range map[string]**lua.Script{"beat": &s.beat, "leave": &s.leave, "forget": &s.forget, "read": &s.read} {
		if *to, err = lua.Load(sources, name); err != nil {
			return s, fmt.Errorf("registry: %w", err)
		}
	}
	return s, nil
}
