package broker

import (
	"embed"
	"fmt"

	"github.com/prpflow/prpflow/internal/lua"
)

//go:embed lua/*.lua
var files embed.FS

// scripts change what Asynq's own API cannot.
type scripts struct {
	remove, trim *lua.Script
}

func loadScripts() (s scripts, err error) {
	for name, to := range map[string]**lua.Script{"remove": &s.remove, "trim": &s.trim} {
		if *to, err = lua.Load(files, name); err != nil {
			return s, fmt.Errorf("broker: %w", err)
		}
	}
	return s, nil
}
