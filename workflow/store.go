package workflow

import (
	"context"
	"errors"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// What a Store and the engine refuse, and why.
var (
	ErrNotFound    = errors.New("not found")
	ErrConflict    = errors.New("conflict")                                    // the state does not allow it
	ErrStale       = errors.New("stale: the job, fence or run is not current") // changes nothing, for good
	ErrChanged     = errors.New("the record has changed since it was read")    // read again and decide again
	ErrExists      = errors.New("exists already")
	ErrHeld        = errors.New("somebody else holds the job")
	ErrPaused      = errors.New("the PRP is paused")
	ErrUnavailable = errors.New("the store cannot be reached") // nothing is known of the outcome; the call may be repeated
)

// Store keeps what the engine decides. Every method may be repeated after
// ErrUnavailable; a Change that was applied already is answered as it was.
type Store interface {
	// Load reads a record and the store's clock. ErrNotFound.
	Load(ctx context.Context, id string) (Record, time.Time, error)
	// LoadMany reads several; an unknown id gives a record with an empty ID.
	LoadMany(ctx context.Context, ids []string) ([]Record, error)
	// Apply saves a change whole, or nothing of it. ErrChanged where version or
	// state are no longer those that were seen, ErrExists where a create finds
	// a record. The applied record, with its times, comes back.
	Apply(ctx context.Context, c Change) (Record, error)
	// Look sets the time to the next look at a PRP whose version is still the
	// one seen; otherwise whoever changed it has set the time.
	Look(ctx context.Context, id string, seen int64, in time.Duration) error
	// Request tells what a request id was used for, "" if it was not.
	Request(ctx context.Context, id, request string) (event string, err error)

	History(ctx context.Context, id string) ([]Entry, error)
	List(ctx context.Context) ([]Record, error)
	// Counts gives the number of PRPs by state and of transitions by event.
	Counts(ctx context.Context) (states, events map[string]int64, err error)
	// Due lists PRPs whose next look has come, at most limit.
	Due(ctx context.Context, limit int) ([]string, error)
	// Held lists the PRPs whose jobs an incarnation holds.
	Held(ctx context.Context, incarnation string) ([]string, error)
	DeadLetters(ctx context.Context) ([]DeadLetter, error)

	// AddDependant notes that id waits for dep; it comes before dep is read.
	AddDependant(ctx context.Context, dep, id string) error
	// Dependants lists who waits for dep, in order, after the given one.
	Dependants(ctx context.Context, dep, after string, limit int) ([]string, error)

	// AcquireLease makes the member owner of the lease or puts it at the end of
	// the waiting list; the present owner comes back. Twice is once.
	AcquireLease(ctx context.Context, lease, member string) (owner string, err error)
	// ReleaseLease takes the member off the lease and its waiting list; the
	// owner after that comes back, "" for none. Twice is once.
	ReleaseLease(ctx context.Context, lease, member string) (owner string, err error)
	// Lead makes who the one sweeper for ttl, or renews it; false while another
	// one is.
	Lead(ctx context.Context, who string, ttl time.Duration) (bool, error)

	// PutLog keeps what a run printed so far, in place of what was kept of the
	// run before. Logs lists them in the order of their runs.
	PutLog(ctx context.Context, prp string, log RunLog) error
	Logs(ctx context.Context, prp string) ([]RunLog, error)

	PutDocument(ctx context.Context, sha string, text []byte) error
	Document(ctx context.Context, sha string) ([]byte, error)
	PutLifecycle(ctx context.Context, hash string, source []byte) error
	Lifecycle(ctx context.Context, hash string) ([]byte, error)
	// Meta reads the store's identity, writing it first on an empty store.
	Meta(ctx context.Context, ifEmpty Meta) (Meta, error)
	// UseLifecycle changes the active lifecycle.
	UseLifecycle(ctx context.Context, hash string) error

	Outbox
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

// Outbox holds what was saved and is still to be sent. Entries of a change go
// to the list of the process that applied it, or, for short-lived processes,
// to the shared list from which relays take them.
type Outbox interface {
	// Receive takes one entry of the shared lists into this process' list, or
	// waits. ok is false after wait.
	Receive(ctx context.Context, wait time.Duration) (e OutboxEntry, ok bool, err error)
	// Ack removes an entry that was sent. Twice is once.
	Ack(ctx context.Context, e OutboxEntry) error
	// Requeue puts an entry at the end of the shared list in place of another
	// of this process' list: the next chunk of a long one.
	Requeue(ctx context.Context, done, next OutboxEntry) error
	// Mine lists what lies unsent in this process' list, and renews its lease.
	Mine(ctx context.Context) ([]OutboxEntry, error)
	// Reap brings home what dead processes left: those whose lease has lapsed
	// and those that are named as dead.
	Reap(ctx context.Context, dead []string) (int, error)
	// InOutbox says whether anything of this PRP is still to be sent.
	InOutbox(ctx context.Context, prp string) (bool, error)
}

// OutboxEntry is one thing to be sent.
type OutboxEntry struct {
	ID   string `json:"id"`
	Kind string `json:"kind"` // one of the Send constants
	PRP  string `json:"prp"`  // whose change made it; it names the partition

	Task   *tasks.Job `json:"task,omitempty"`   // task: the job to publish
	Member string     `json:"member,omitempty"` // acquire, release
	Lease  string     `json:"lease,omitempty"`  // acquire, release
	After  string     `json:"after,omitempty"`  // look: cursor
	To     string     `json:"to,omitempty"`     // message: inbox
	Text   string     `json:"text,omitempty"`   // message
	Queue  string     `json:"queue,omitempty"`  // remove: queue of the superseded task
	Job    string     `json:"job,omitempty"`    // remove: its id
	Urgent bool       `json:"urgent,omitempty"` // message: priority high
}

// Kinds of outbox entries.
const (
	SendTask    = "task"    // publish the job
	SendMessage = "message" // put a message into an inbox
	SendLook    = "look"    // look at the dependants of the PRP
	SendAcquire = "acquire" // ask for the merge lease
	SendRelease = "release" // give it back
	SendRemove  = "remove"  // take a superseded task out of the broker
)

// Change is what one decision saves.
type Change struct {
	Token       string // random; makes the change safe to be sent twice
	SeenVersion int64  // 0: create
	SeenState   string
	Record      Record // as it shall be; Version is SeenVersion+1
	History     []Entry
	Outbox      []OutboxEntry
	Request     string        // request id that is used up, "" for none
	Event       string        // and the event that it was used for
	LookIn      time.Duration // time to the next look of the sweep, 0: none
	Hold        string        // incarnation that holds the PRP from now on
	Release     string        // incarnation that held it until now
	Bury        []DeadLetter  // dead letters that arise
	Raise       []string      // dead letters that are gone
}
