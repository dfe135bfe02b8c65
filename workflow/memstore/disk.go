package memstore

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// lease is how long the entries of a silent process stay its own.
const lease = 5 * time.Second

const (
	requestsKept = 24 * time.Hour      // how long a request id is remembered
	deadKept     = 30 * 24 * time.Hour // how long a dead letter is kept
	tokensKept   = 16                  // of how many changes a repetition is known
)

// Disk is what lies in the store. Processes come and go; it stays.
type Disk struct {
	mu  sync.Mutex
	now func() time.Time

	meta       workflow.Meta
	leader     string
	leads      int // schema that the leader reads
	leadsUntil time.Time

	slots      map[string]*slot
	order      []string // ids in the order of their creation
	states     map[string]int64
	events     map[string]int64
	due        map[string]time.Time
	held       map[string]map[string]bool // incarnation -> ids
	published  map[string]string          // job -> queue
	dead       map[string]letter
	dependants map[string]map[string]bool
	leases     map[string][]string // the owners, then who waits
	documents  map[string][]byte
	lifecycles map[string][]byte

	shared []workflow.OutboxEntry // the next first
	parked []workflow.OutboxEntry // for who knows their kinds
	taken  map[string]*hands
	pushed chan struct{} // closed and renewed when shared grows
}

// slot is what belongs to one PRP.
type slot struct {
	rec      workflow.Record
	broken   error            // why it cannot be read, for tests
	answers  map[int64]answer // by the version that they made
	history  []workflow.Entry
	requests map[string]request
	logs     map[string]workflow.RunLog
}

// loaded is the record, as far as it can be read.
func (sl *slot) loaded() workflow.Loaded {
	switch {
	case sl == nil:
		return workflow.Loaded{}
	case sl.broken != nil:
		r := sl.rec
		return workflow.Loaded{
			Record: workflow.Record{ID: r.ID, State: r.State, Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt},
			Err:    sl.broken,
		}
	case sl.rec.Schema > workflow.SchemaVersion:
		r := sl.rec
		return workflow.Loaded{
			Record: workflow.Record{ID: r.ID, Schema: r.Schema, State: r.State, Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt},
			Err:    workflow.Newer("memstore: record "+r.ID, r.Schema),
		}
	}
	return workflow.Loaded{Record: sl.rec.Clone()}
}

// answer is what a change was answered.
type answer struct {
	token string
	rec   workflow.Record
}

type letter struct {
	workflow.DeadLetter
	until time.Time
}

type request struct {
	event string
	until time.Time
}

// hands is what one process has taken and not acknowledged.
type hands struct {
	entries []workflow.OutboxEntry // the oldest first
	until   time.Time
}

// NewDisk makes an empty store. now is its clock; nil is the wall's.
func NewDisk(now func() time.Time) *Disk {
	if now == nil {
		now = time.Now
	}
	return &Disk{
		now: now, slots: map[string]*slot{}, states: map[string]int64{}, events: map[string]int64{},
		due: map[string]time.Time{}, held: map[string]map[string]bool{}, published: map[string]string{}, dead: map[string]letter{},
		dependants: map[string]map[string]bool{}, leases: map[string][]string{}, documents: map[string][]byte{},
		lifecycles: map[string][]byte{}, taken: map[string]*hands{}, pushed: make(chan struct{}),
	}
}

// Store opens the store as a process. worker names its list of unsent entries;
// "" is a short-lived process, whose entries go to the shared list.
func (d *Disk) Store(worker string) *Store { return &Store{disk: d, worker: worker} }

// time is the store's clock, as a store without sub-microseconds shows it.
func (d *Disk) time() time.Time { return d.now().UTC().Truncate(time.Microsecond) }

// push adds to the end of the shared list.
func (d *Disk) push(entries ...workflow.OutboxEntry) {
	if len(entries) == 0 {
		return
	}
	d.shared = append(d.shared, entries...)
	d.wake()
}

func (d *Disk) wake() {
	close(d.pushed)
	d.pushed = make(chan struct{})
}

func (d *Disk) hands(worker string) *hands {
	h := d.taken[worker]
	if h == nil {
		h = &hands{}
		d.taken[worker] = h
	}
	h.until = d.time().Add(lease)
	return h
}

// home brings what a process had in hand back to the head of the shared list.
func (d *Disk) home(worker string) int {
	h := d.taken[worker]
	if h == nil {
		return 0
	}
	delete(d.taken, worker)
	d.shared = append(slices.Clone(h.entries), d.shared...)
	if len(h.entries) > 0 {
		d.wake()
	}
	return len(h.entries)
}

// sorted gives the keys of a map in their order.
func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func set(m map[string]map[string]bool, key, member string) {
	if m[key] == nil {
		m[key] = map[string]bool{}
	}
	m[key][member] = true
}
