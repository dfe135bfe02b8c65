package redisstore

import (
	"embed"
	"fmt"

	"github.com/prpflow/prpflow/internal/lua"
)

//go:embed lua/*.lua
var files embed.FS

type scriptSet struct {
	apply, look, acquire, release, lead, meta, use *lua.Script
}

func loadScripts() (scriptSet, error) {
	var set scriptSet
	for name, to := range map[string]**lua.Script{
		"apply": &set.apply, "look": &set.look, "acquire": &set.acquire, "release": &set.release, "lead": &set.lead,
		"meta": &set.meta, "use": &set.use,
	} {
		script, err := lua.Load(files, name)
		if err != nil {
			return set, fmt.Errorf("redisstore: %w", err)
		}
		*to = script
	}
	return set, nil
}
