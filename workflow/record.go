package workflow

import (
	"maps"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// SchemaVersion is written into the store and into every record. A program
// reads its own version and the one before, and refuses newer ones.
const SchemaVersion = 1

// Record is all that the engine knows of one PRP. Version guards every write;
// Fence guards every claim and result.
type Record struct {
	Schema    int       `json:"schema"`
	ID        string    `json:"id"`
	Title     string    `json:"title"`
	Lifecycle string    `json:"lifecycle"` // hash of the lifecycle that the PRP started with
	Document  string    `json:"document"`  // sha256 of the document, hex
	Revision  int       `json:"revision"`  // 1, and one more with each revised document
	Priority  string    `json:"priority"`  // P0..P3, "" = none stated
	Repo      string    `json:"repo,omitempty"`
	Source    string    `json:"source,omitempty"` // path that it was submitted from
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	State    string   `json:"state"`
	Back     string   `json:"back,omitempty"` // state that an answer returns to
	Version  int64    `json:"version"`
	Fence    int64    `json:"fence"`
	Attempt  int      `json:"attempt"` // 1, and one more for each rejection and refused evidence
	Paused   bool     `json:"paused,omitempty"`
	Findings []string `json:"findings,omitempty"` // what the strict lint refuses, while in the initial state

	DependsOn  []string `json:"depends_on,omitempty"`
	BlockedBy  []string `json:"blocked_by,omitempty"` // dependencies not known to be complete
	Unresolved []string `json:"unresolved,omitempty"` // tokens that named no known PRP

	Job      *tasks.Job        `json:"job,omitempty"`     // the job that the present state asked for; nil while none is published
	Holder   *Holder           `json:"holder,omitempty"`  // who runs it; nil while nobody does
	Agents   map[string]string `json:"agents,omitempty"`  // role -> agent that had the PRP last
	Reasons  []string          `json:"reasons,omitempty"` // what the next task carries
	Question string            `json:"question,omitempty"`
	Answer   string            `json:"answer,omitempty"`
	Awaits   string            `json:"awaits,omitempty"`   // event that a person is to fire; the run that asked for it is done
	Evidence map[string]any    `json:"evidence,omitempty"` // of that run
	Lease    string            `json:"lease,omitempty"`    // name of the merge lease that it waits for or holds
	Member   string            `json:"member,omitempty"`   // what it is called there, another one for each stay in the state
	Granted  bool              `json:"granted,omitempty"`  // the lease is its own

	Failures  int          `json:"failures,omitempty"`  // failed runs of this stage
	Lost      int          `json:"lost,omitempty"`      // runs lost in a row
	Runs      int          `json:"runs,omitempty"`      // runs of this stage
	Refused   int          `json:"refused,omitempty"`   // rejections and refused evidence since the last retry
	Delivered string       `json:"delivered,omitempty"` // run whose result was accepted last
	WaitUntil time.Time    `json:"wait_until,omitzero"` // a failed or limited run is tried again then
	WaitWhy   string       `json:"wait_why,omitempty"`  // and why
	Dead      []DeadLetter `json:"dead,omitempty"`      // its dead letters
	Suspect   *Suspect     `json:"suspect,omitempty"`   // what the sweep saw at its last look
	Deadline  time.Time    `json:"deadline,omitzero"`   // end of the stay in this state
	Escalated []string     `json:"escalated,omitempty"` // causes already told to the orchestrator
	Usage     tasks.Usage  `json:"usage"`
}

// Holder says who runs a job: a process and one run of it, never a name, since
// an agent that was killed and restarted bears the same name.
type Holder struct {
	Incarnation string    `json:"incarnation"` // host:pid:nonce of the process
	Agent       string    `json:"agent"`
	Run         string    `json:"run"` // one run, chosen by the runtime at claim
	Since       time.Time `json:"since"`
}

// Suspect is what a look of the sweep found odd; the second look acts on it.
type Suspect struct {
	What  string    `json:"what"`
	Fence int64     `json:"fence"`
	At    time.Time `json:"at"`
}

// Entry is one line of a PRP's history. The store stamps At, never below the
// entry before.
type Entry struct {
	At        time.Time      `json:"at"`
	Event     string         `json:"event"`
	From      string         `json:"from"`
	To        string         `json:"to"`
	Actor     string         `json:"actor"`
	Reason    string         `json:"reason"`
	Job       string         `json:"job"`       // job whose result caused it
	Published string         `json:"published"` // job that it made
	Attempt   int            `json:"attempt"`
	Evidence  map[string]any `json:"evidence"`
}

// DeadLetter is a job that was given up, kept until somebody retries the PRP.
type DeadLetter struct {
	ID      string    `json:"id"` // the job's id
	PRP     string    `json:"prp"`
	Queue   string    `json:"queue"`
	Cause   string    `json:"cause"` // one of the Cause constants
	Reason  string    `json:"reason"`
	Attempt int       `json:"attempt"` // number of runs
	At      time.Time `json:"at"`
}

// Why jobs are given up.
const (
	CauseRetries  = "retries"  // it failed more often than it may
	CauseLost     = "lost"     // its agents died at it
	CauseArchived = "archived" // an operator archived its task
)

// Clone copies the record so deep that a change of one is none of the other.
func (r Record) Clone() Record {
	c := r
	c.Findings = clone(r.Findings)
	c.DependsOn = clone(r.DependsOn)
	c.BlockedBy = clone(r.BlockedBy)
	c.Unresolved = clone(r.Unresolved)
	c.Reasons = clone(r.Reasons)
	c.Dead = append([]DeadLetter(nil), r.Dead...)
	c.Escalated = clone(r.Escalated)
	if r.Job != nil {
		j := *r.Job
		c.Job = &j
	}
	if r.Holder != nil {
		h := *r.Holder
		c.Holder = &h
	}
	if r.Suspect != nil {
		s := *r.Suspect
		c.Suspect = &s
	}
	c.Evidence = maps.Clone(r.Evidence)
	if r.Agents != nil {
		c.Agents = make(map[string]string, len(r.Agents))
		for k, v := range r.Agents {
			c.Agents[k] = v
		}
	}
	return c
}

func clone(s []string) []string { return append([]string(nil), s...) }
