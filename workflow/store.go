package workflow

import (
	"context"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Store keeps what is decided. Every method may be repeated after
// ErrUnavailable; a Change that was applied already is answered as it was.
// Who needs only a part of it asks for that part.
type Store interface {
	Records
	Waiting
	Watched
	Leases
	Documents
	Logs
	Foundation
	Outbox
}

// Loaded is one of several records that were asked for.
type Loaded struct {
	Record       // an unknown id gives one without an ID
	Err    error // ErrUnreadable; ID, State, Version and times are there all the same
}

// Records reads and changes records.
type Records interface {
	// Load reads a record and the store's clock. ErrNotFound, ErrUnreadable.
	Load(ctx context.Context, id string) (Record, time.Time, error)
	// LoadMany reads several, in one go. What is wrong with one is said of it alone.
	LoadMany(ctx context.Context, ids []string) ([]Loaded, time.Time, error)
	// Apply saves a change whole, or nothing of it. ErrChanged where version,
	// token or state are no longer those that were seen, ErrExists where a create
	// finds a record. The applied record, with its times and token, comes back.
	Apply(ctx context.Context, c Change) (Record, error)
	// Request tells what a request id was used for, "" if it was not.
	Request(ctx context.Context, id, request string) (event string, err error)
	History(ctx context.Context, id string) ([]Entry, error)
	// List reads all records, the oldest first.
	List(ctx context.Context) ([]Loaded, error)
	// Scan gives about limit ids after a cursor, "" to begin with; the next cursor
	// is "" at the end. What is there throughout a scan comes at least once.
	Scan(ctx context.Context, cursor string, limit int) (ids []string, next string, err error)
	// Counts gives the number of PRPs by state and of transitions by event.
	Counts(ctx context.Context) (states, events map[string]int64, err error)
	DeadLetters(ctx context.Context) ([]DeadLetter, error)
	// DeadLetter finds one by the id of its job. ErrNotFound.
	DeadLetter(ctx context.Context, id string) (DeadLetter, error)
}

// Waiting knows which PRPs wait for which.
type Waiting interface {
	// AddDependant notes that id waits for dep; it comes before dep is read.
	AddDependant(ctx context.Context, dep, id string) error
	// Dependants lists who waits for dep, in order, after the given one.
	Dependants(ctx context.Context, dep, after string, limit int) ([]string, error)
}

// AnyVersion sets the time of a look whatever the record's version is.
const AnyVersion = -1

// Watched is what the sweep goes by.
type Watched interface {
	// Due lists PRPs whose next look has come, the longest due first, at most limit.
	Due(ctx context.Context, limit int) ([]string, error)
	// Look sets the time to the next look at a PRP whose version is still the one
	// seen; otherwise whoever changed it has set the time. A PRP that is not there
	// is looked at no more. 0 is never.
	Look(ctx context.Context, id string, seen int64, in time.Duration) error
	// Held lists the PRPs whose jobs an incarnation holds.
	Held(ctx context.Context, incarnation string) ([]string, error)
	// Published counts the jobs that are out.
	Published(ctx context.Context) (int64, error)
	// ScanPublished gives about limit of them after a cursor, as Scan does.
	ScanPublished(ctx context.Context, cursor string, limit int) (jobs []tasks.JobRef, next string, err error)
	// Unpublish forgets jobs that are no longer those of their records.
	Unpublish(ctx context.Context, jobs []string) error
	// Lead makes who the one sweeper for ttl, or renews it; false while another
	// one is. One that reads newer schemas takes the lead from one that does not.
	Lead(ctx context.Context, who string, ttl time.Duration) (bool, error)
}

// Leases are counted locks with waiting lists: the first members, as many as
// the capacity, own one.
type Leases interface {
	// AcquireLease puts the member at the end of the list, if it is not on it; the
	// owners come back. Twice is once.
	AcquireLease(ctx context.Context, lease, member string, capacity int) (owners []string, err error)
	// ReleaseLease takes the member off the list; the owners after that come back.
	ReleaseLease(ctx context.Context, lease, member string, capacity int) (owners []string, err error)
	// LeaseMembers lists the first members of a lease.
	LeaseMembers(ctx context.Context, lease string, first int) ([]string, error)
	// LeaseNames lists the leases that have members.
	LeaseNames(ctx context.Context) ([]string, error)
}

// Documents are kept once by content hash.
type Documents interface {
	PutDocument(ctx context.Context, sha string, text []byte) error
	Document(ctx context.Context, sha string) ([]byte, error)
	PutLifecycle(ctx context.Context, hash string, source []byte) error
	Lifecycle(ctx context.Context, hash string) ([]byte, error)
}

// Logs keep what runs print.
type Logs interface {
	// PutLog keeps what a run printed so far, in place of what was kept of the
	// run before. Logs lists them in the order of their runs.
	PutLog(ctx context.Context, prp string, log RunLog) error
	Logs(ctx context.Context, prp string) ([]RunLog, error)
}

// Foundation is what the store says of itself.
type Foundation interface {
	// Meta reads the store's identity, writing it first on an empty store.
	Meta(ctx context.Context, ifEmpty Meta) (Meta, error)
	// UseLifecycle changes the active lifecycle.
	UseLifecycle(ctx context.Context, hash string) error
}

// Meta is what every process reads at start.
type Meta struct {
	Schema     int
	StoreID    string
	Partitions int
	Lifecycle  string // hash of the active one
}

// RunLog is what one run printed: head and tail of it, at most 256 KiB.
type RunLog struct {
	Run     string    `json:"run"`
	Job     string    `json:"job"`
	Agent   string    `json:"agent"`
	Started time.Time `json:"started"`
	Text    string    `json:"text"`
}
