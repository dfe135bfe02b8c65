package sweep

import (
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// What bounds the Detector's judgement.
const (
	blindAfter   = 3 * time.Second // a longer gap between two observations is blindness
	reconnectMax = 5 * time.Second // longest wait of an agent before it reconnects
)

// Detector judges which processes are gone. A process is judged by what was seen
// of it here, never by a time stamp alone: whoever was blind meanwhile must not
// take silence for death. It knows no clock but the registry's, and is not safe
// for concurrent use.
type Detector struct {
	last time.Time // registry's time of the last observation
	seen map[string]sighting
}

type sighting struct {
	beats int64
	seen  time.Time // of the last beat: one who was forgotten and comes back counts from one again
	at    time.Time // registry's time when it beat last, as far as was seen here
}

// Observe takes what the registry shows at its time now, and answers who is gone.
// It is called only while heartbeats can be written: a longer gap between two
// observations is blindness, after which nobody is judged by what was before.
func (d *Detector) Observe(processes []tasks.Process, now time.Time) (gone []tasks.Process, blind bool) {
	grace := time.Duration(0)
	if d.last.IsZero() || now.Sub(d.last) > blindAfter || now.Before(d.last) {
		d.seen = nil // nothing seen before the gap counts
		if blind = !d.last.IsZero(); blind {
			grace = reconnectMax
		}
	}
	d.last = now
	next := make(map[string]sighting, len(processes))
	for _, p := range processes {
		s, known := d.seen[p.Incarnation]
		if !known {
			s = sighting{p.Beats, p.Seen, now.Add(grace)}
		} else if s.beats != p.Beats || !s.seen.Equal(p.Seen) {
			s = sighting{p.Beats, p.Seen, now}
		}
		next[p.Incarnation] = s
		after := p.GoneAfter
		if after <= 0 {
			after = tasks.DefaultGoneAfter
		}
		if p.Dead || p.Left || now.Sub(s.at) >= after {
			gone = append(gone, p)
		}
	}
	d.seen = next
	return gone, blind
}
