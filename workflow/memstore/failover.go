package memstore

import (
	"maps"
	"slices"
)

// Snapshot copies the store as it is now, as a replica has it that lags from now
// on.
func (d *Disk) Snapshot() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.copy()
}

func (d *Disk) copy() *Disk {
	c := &Disk{
		now: d.now, meta: d.meta, leader: d.leader, leads: d.leads, leadsUntil: d.leadsUntil,
		slots: make(map[string]*slot, len(d.slots)), order: slices.Clone(d.order), states: maps.Clone(d.states), events: maps.Clone(d.events),
		due: maps.Clone(d.due), held: deep(d.held), published: maps.Clone(d.published), dead: maps.Clone(d.dead),
		dependants: deep(d.dependants), leases: cloneLeases(d.leases), documents: maps.Clone(d.documents), lifecycles: maps.Clone(d.lifecycles),
		shared: slices.Clone(d.shared), parked: slices.Clone(d.parked), pushed: make(chan struct{}), taken: make(map[string]*hands, len(d.taken)),
	}
	for id, sl := range d.slots {
		c.slots[id] = &slot{
			rec: sl.rec, broken: sl.broken, answers: maps.Clone(sl.answers), history: slices.Clone(sl.history),
			requests: maps.Clone(sl.requests), logs: maps.Clone(sl.logs),
		}
	}
	for worker, h := range d.taken {
		c.taken[worker] = &hands{slices.Clone(h.entries), h.until}
	}
	return c
}

// Failover makes a snapshot the store, as where a replica that lags takes over:
// what came after it is lost. Merge leases are in slots of their own, and are lost
// alone or not at all; documents and lifecycles are not lost.
func (d *Disk) Failover(to *Disk, leases bool) {
	to = to.Snapshot() // it may serve once more
	d.mu.Lock()
	defer d.mu.Unlock()
	if leases {
		d.leases = to.leases
		return
	}
	for id, sl := range to.slots { // what is damaged stays so
		if sl.broken = nil; d.slots[id] != nil {
			sl.broken = d.slots[id].broken
		}
	}
	d.meta, d.leader, d.leads, d.leadsUntil = to.meta, to.leader, to.leads, to.leadsUntil
	d.slots, d.order, d.states, d.events, d.due, d.held = to.slots, to.order, to.states, to.events, to.due, to.held
	d.published, d.dead, d.dependants = to.published, to.dead, to.dependants
	d.shared, d.taken, d.parked = to.shared, to.taken, to.parked
	d.wake()
}

// Damage makes a record unreadable for a cause, nil makes it readable again.
func (d *Disk) Damage(id string, cause error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if sl := d.slots[id]; sl != nil {
		sl.broken = cause
	}
}

func deep(m map[string]map[string]bool) map[string]map[string]bool {
	c := make(map[string]map[string]bool, len(m))
	for k, v := range m {
		c[k] = maps.Clone(v)
	}
	return c
}

func cloneLeases(m map[string][]string) map[string][]string {
	c := make(map[string][]string, len(m))
	for k, v := range m {
		c[k] = slices.Clone(v)
	}
	return c
}
