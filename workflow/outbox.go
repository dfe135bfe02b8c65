package workflow

import (
	"context"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

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
	// Mine lists what is unsent in this process' list, and renews its lease.
	Mine(ctx context.Context) ([]OutboxEntry, error)
	// Reap brings home what dead processes left: those whose lease has lapsed
	// and those that are named as dead.
	Reap(ctx context.Context, dead []string) (int, error)
	// Unsent says which entries are still to be sent, wherever they are: in a
	// shared list, in a process' list, or on their way from one to the other.
	Unsent(ctx context.Context, entries []OutboxRef) ([]bool, error)
	// Park takes an entry of a kind that this process does not know out of its
	// list, and keeps it for a process that knows the kind. It is still unsent.
	// Twice is once.
	Park(ctx context.Context, e OutboxEntry) error
	// Adopt puts what is parked of these kinds into this process' list.
	Adopt(ctx context.Context, kinds []string) error
}

// OutboxRef names an entry.
type OutboxRef struct {
	PRP string // whose change made it; it names the partition
	ID  string // the entry's
}

// OutboxEntry is one thing to be sent.
type OutboxEntry struct {
	ID   string `json:"id"`
	Kind string `json:"kind"` // one of the Send constants
	PRP  string `json:"prp"`  // whose change made it; it names the partition

	Task     *tasks.Job `json:"task,omitempty"`     // task: the job to publish
	Member   string     `json:"member,omitempty"`   // acquire, release
	Lease    string     `json:"lease,omitempty"`    // acquire, release
	Capacity int        `json:"capacity,omitempty"` // acquire, release: owners at a time, 0 = 1
	After    string     `json:"after,omitempty"`    // look: cursor
	To       string     `json:"to,omitempty"`       // message: inbox
	Text     string     `json:"text,omitempty"`     // message
	Queue    string     `json:"queue,omitempty"`    // remove: queue of the superseded task
	Job      string     `json:"job,omitempty"`      // remove: its id
	Urgent   bool       `json:"urgent,omitempty"`   // message: priority high
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
