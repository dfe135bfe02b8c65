package reliable

import (
	"embed"
	"sync"

	"github.com/prpflow/prpflow/internal/lua"
)

//go:embed lua/*.lua
var files embed.FS

type scriptSet struct {
	push, lease, ack, replace, quarantine, lapsed, reap, depth *lua.Script
}

// scripts are read once per process, by the first New.
var scripts = sync.OnceValues(func() (*scriptSet, error) {
	s := &scriptSet{}
	for name, into := range map[string]**lua.Script{
		"push": &s.push, "lease": &s.lease, "ack": &s.ack, "replace": &s.replace,
		"quarantine": &s.quarantine, "lapsed": &s.lapsed, "reap": &s.reap, "depth": &s.depth,
	} {
		script, err := lua.Load(files, name)
		if err != nil {
			return nil, err
		}
		*into = script
	}
	return s, nil
})
