package e2e

import (
	"slices"
	"time"
)

// past is the history of one PRP.
type past struct {
	w       *world
	id      string
	entries []entry
}

// history reads a PRP's history and checks what holds of each: it is a chain,
// and its times never go back.
func (w *world) history(id string) past {
	w.t.Helper()
	h := past{w: w, id: id}
	w.decode(w.want(0, "history", id, "--json").out, &h.entries)
	var before time.Time
	for i, e := range h.entries {
		at, err := time.Parse(time.RFC3339Nano, e.At)
		if err != nil {
			w.t.Errorf("%s, entry %d: at: %v", id, i, err)
		}
		if at.Before(before) {
			w.t.Errorf("%s, entry %d is older than the one before", id, i)
		}
		if i > 0 && h.entries[i-1].To != e.From {
			w.t.Errorf("%s: the chain is broken: %s goes to %s, then %s starts from %s",
				id, h.entries[i-1].Event, h.entries[i-1].To, e.Event, e.From)
		}
		before = at
	}
	return h
}

// moves lists the events that moved the PRP; submission and notes do not.
func (h past) moves() []string {
	var events []string
	for _, e := range h.entries {
		if e.From != e.To && e.To != "new" {
			events = append(events, e.Event)
		}
	}
	return events
}

// isExactly checks that these events moved it, and no other.
func (h past) isExactly(events ...string) {
	h.w.t.Helper()
	if got := h.moves(); !slices.Equal(got, events) {
		h.w.t.Errorf("%s was moved by %v, want exactly %v", h.id, got, events)
	}
}

// straight is the way of a PRP that nothing happens to.
var straight = []string{"validate", "assign", "start", "submit", "approve", "finish"}

// of lists the entries of one event.
func (h past) of(event string) []entry {
	var found []entry
	for _, e := range h.entries {
		if e.Event == event {
			found = append(found, e)
		}
	}
	return found
}

// only is the single entry of an event.
func (h past) only(event string) entry {
	h.w.t.Helper()
	found := h.of(event)
	if len(found) != 1 {
		h.w.t.Fatalf("%s: %d entries of %s, want one: %+v", h.id, len(found), event, h.entries)
	}
	return found[0]
}
