package reliable

import (
	"embed"
	"sync"

	"github.com/prpflow/prpflow/internal/lua"
)

//go:embed lua
var files embed.FS

type scriptSet struct {
	push, take, lease, ack, nack, release, replace, bury, reap, tend, replay, drop, purge, depth, park, adopt, leave, deaths *lua.Script
}

// scripts are read once per process, by the first New.
var scripts = sync.OnceValues(func() (*scriptSet, error) {
	s := &scriptSet{}
	for name, into := range map[string]**lua.Script{
		"push": &s.push, "take": &s.take, "lease": &s.lease, "ack": &s.ack, "nack": &s.nack, "release": &s.release,
		"replace": &s.replace, "bury": &s.bury, "reap": &s.reap, "tend": &s.tend, "replay": &s.replay, "drop": &s.drop,
		"purge": &s.purge, "depth": &s.depth, "park": &s.park, "adopt": &s.adopt, "leave": &s.leave, "deaths": &s.deaths,
	} {
		script, err := lua.Load(files, name)
		if err != nil {
			return nil, err
		}
		*into = script
	}
	return s, nil
})
