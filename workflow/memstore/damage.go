package memstore

// Evict forgets a record, and nothing else that is known of it. It is for tests.
func (d *Disk) Evict(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.slots, id)
	for i, known := range d.order {
		if known == id {
			d.order = append(d.order[:i:i], d.order[i+1:]...)
			break
		}
	}
}
