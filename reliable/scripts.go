package reliable

import (
	"embed"
	"sync"

	"github.com/prpflow/prpflow/internal/lua"
)

//go:embed lua/*.lua
var files embed.FS

type scriptSet struct {
	push, take, lease, ack, replace, bury, lapsed, reap, depth, park, adopt *lua.Script
}

// scripts are read once per process, by the first New.
var scripts = sync.OnceValues(func() (*scriptSet, error) {
	s := &scriptSet{}
	for name, into := range map[string]**lua.Script{
		"push": &s.push, "take": &s.take, "lease": &s.lease, "ack": &s.ack, "replace": &s.replace, "bury": &s.bury,
		"lapsed": &s.lapsed, "reap": &s.reap, "depth": &s.depth, "park": &s.park, "adopt": &s.adopt,
	} {
		script, err := lua.Load(files, name)
		if err != nil {
			return nil, err
		}
		*into = script
	}
	return s, nil
})
