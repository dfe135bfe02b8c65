package registry

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
)

// damage remembers which entries could not be read the last time.
type damage struct {
	mu    sync.Mutex
	known map[string]error
}

// tell logs each entry that cannot be read, once for as long as it stays so.
func (r *Registry) tell(damaged map[string]error) {
	r.damage.mu.Lock()
	known := r.damage.known
	r.damage.known = damaged
	r.damage.mu.Unlock()
	log := r.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	for _, entry := range slices.Sorted(maps.Keys(damaged)) {
		if _, told := known[entry]; !told {
			log.Warn("an entry of the registry is damaged and left out", "entry", entry, "error", damaged[entry])
		}
	}
}
