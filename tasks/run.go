package tasks

import (
	"encoding/json"
	"time"
)

// Run is one run of a job by one process. Its ID is chosen by the runtime, so
// that a repeated claim is recognised.
type Run struct {
	ID          string    `json:"id"`
	PRP         string    `json:"prp"`
	Job         string    `json:"job"`
	Fence       int64     `json:"fence"`
	Type        string    `json:"type"`
	Agent       string    `json:"agent"`
	Incarnation string    `json:"incarnation"` // host:pid:nonce of the process
	Started     time.Time `json:"started,omitzero"`
}

// Claim asks for a job before it is run.
type Claim struct {
	Run
	// InHand lists the runs that the same process still has. A claim of the
	// process that is not among them ended without a result and is void.
	InHand []string
}

// Assignment is what a claim is answered with: all that a run needs.
type Assignment struct {
	Job      Job
	Attempt  int
	Title    string
	Source   string // path that the document was submitted from
	SHA256   string // of Document
	Document []byte
	Criteria json.RawMessage // array
	Gates    json.RawMessage // array
	Reasons  []string        // of the last rejection or refusal, until work is accepted
	Answer   string          // to the last question
	// Questions are all that agents have asked about the PRP, with the answers.
	Questions []Exchange
}

// Exchange is a question of an agent and the answer to it.
type Exchange struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
	Answered bool   `json:"answered,omitempty"`
}

// Delivery hands in the result of a run. Retries and RetryDelay are those of
// the agent; nil and 0 fall back to the lifecycle's state.
type Delivery struct {
	Run
	Result     Result
	Retries    *int
	RetryDelay time.Duration
}

// Verdict is what the broker is to do with the task of a delivered result.
type Verdict struct {
	After  time.Duration // more than 0: hand the same task out again then
	Failed bool          // the job is given up: keep the task as a dead letter
	Reason string
}

// Process is a live process and its agents, as its heartbeats show it.
type Process struct {
	Incarnation string        `json:"incarnation"` // host:pid:nonce
	Host        string        `json:"host"`
	PID         int           `json:"pid"`
	StartTime   string        `json:"start_time"` // of the process, as the kernel tells it
	BootID      string        `json:"boot_id"`
	PIDNS       string        `json:"pid_ns"` // pid namespace
	Version     string        `json:"version"`
	Schema      int           `json:"schema,omitempty"` // of the records that it reads; 0 is 1
	Serves      bool          `json:"serves,omitempty"` // it relays and sweeps for everybody
	GoneAfter   time.Duration `json:"gone_after"`
	Agents      []Agent       `json:"agents"`
	Runs        []Run         `json:"runs"` // in hand
	Beats       int64         `json:"-"`    // number of heartbeats seen by the registry; rises while the process lives
	Seen        time.Time     `json:"-"`    // last heartbeat, by the registry's clock
	Dead        bool          `json:"-"`    // proven dead: same boot and pid namespace as the reader's, and no such process
	Left        bool          `json:"-"`    // has said good-bye
}

// Agent is one agent of a process.
type Agent struct {
	Name         string    `json:"name"`
	Role         string    `json:"role"`
	Concurrency  int       `json:"concurrency"`
	Running      int       `json:"running"`
	Draining     bool      `json:"draining,omitempty"`
	LimitedUntil time.Time `json:"limited_until,omitzero"`
	Unwell       string    `json:"unwell,omitempty"` // why it gets no work: it cannot be started, or its runs only fail
	UnwellSince  time.Time `json:"unwell_since,omitzero"`
	Probe        time.Time `json:"probe,omitzero"`     // when it is looked at again
	Failing      int       `json:"failing,omitempty"`  // failed runs in a row
	Finished     int64     `json:"finished,omitempty"` // runs of its process that came to an end
	Repo         string    `json:"repo,omitempty"`
}
