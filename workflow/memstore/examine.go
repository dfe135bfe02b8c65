package memstore

import (
	"slices"

	"github.com/prpflow/prpflow/workflow"
)

// IsUnsent says whether something that is still to be sent is meant.
func (d *Disk) IsUnsent(meant func(workflow.OutboxEntry) bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.ContainsFunc(d.shared, meant) || slices.ContainsFunc(d.parked, meant) {
		return true
	}
	for _, h := range d.taken {
		if slices.ContainsFunc(h.entries, meant) {
			return true
		}
	}
	return false
}

// Lease lists the owner of a merge lease, then who waits for it.
func (d *Disk) Lease(name string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.leases[name])
}

// Peek shows a record, false where there is none. It is the store's own, not a
// copy: it must not be changed.
func (d *Disk) Peek(id string) (workflow.Record, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if sl := d.slots[id]; sl != nil {
		return sl.rec, true
	}
	return workflow.Record{}, false
}

// Peeks appends all records to recs, the oldest first; what holds for Peek holds
// for them.
func (d *Disk) Peeks(recs []workflow.Record) []workflow.Record {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range d.order {
		recs = append(recs, d.slots[id].rec)
	}
	return recs
}
