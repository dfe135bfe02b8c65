package workflow

import (
	"maps"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// SchemaVersion is written into the store and into every record. A program
// reads its own version and the one before, and refuses newer ones.
const SchemaVersion = 2

// Record is all that the engine knows of one PRP. Version and Token guard every
// write; Fence guards every claim and result. What lives and dies together is
// grouped: leaving a state resets Stage, giving up a publication resets
// Stage.Work.
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
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`

	State    string   `json:"state"`
	Version  int64    `json:"version"`
	Token    string   `json:"-"` // of the change that made this version; the store fills it in
	Fence    int64    `json:"fence"`
	Attempt  int      `json:"attempt"`           // 1, and one more for each rejection and refused evidence
	Refused  int      `json:"refused,omitempty"` // rejections and refused evidence since the last retry
	Paused   bool     `json:"paused,omitempty"`
	Findings []string `json:"findings,omitempty"` // what the strict lint refuses, while in the initial state

	DependsOn  []string `json:"depends_on,omitempty"`
	BlockedBy  []string `json:"blocked_by,omitempty"` // dependencies not known to be complete
	Unresolved []string `json:"unresolved,omitempty"` // tokens that named no known PRP

	Agents    map[string]string `json:"agents,omitempty"`    // role -> agent that had the PRP last
	Reasons   []string          `json:"reasons,omitempty"`   // of the last rejection or refusal, until work is accepted
	Questions []tasks.Exchange  `json:"questions,omitempty"` // every question of an agent, with its answer
	Failure   string            `json:"failure,omitempty"`   // why it was given up, until a retry
	Dead      []DeadLetter      `json:"dead,omitempty"`      // its dead letters
	Delivered string            `json:"delivered,omitempty"` // run whose result was accepted last
	Usage     tasks.Usage       `json:"usage"`

	Stage Stage `json:"stage"`
}

// Stage is what belongs to one stay in a state, from the edge that enters it to
// the edge that leaves it. An edge that a claim fires keeps it: the job goes on.
type Stage struct {
	Back     string        `json:"back,omitempty"`     // state that an answer returns to
	Asked    bool          `json:"asked,omitempty"`    // the last question is to be answered
	Approval *Approval     `json:"approval,omitempty"` // a person has the last word
	Merge    *Merge        `json:"merge,omitempty"`    // the merge lease that it waits for or holds
	Work     *Work         `json:"work,omitempty"`     // the publication; nil while none is out
	Failures int           `json:"failures,omitempty"` // failed runs
	Lost     int           `json:"lost,omitempty"`     // runs lost in a row
	Runs     int           `json:"runs,omitempty"`
	Deadline time.Time     `json:"deadline,omitzero"` // end of the stay
	Left     time.Duration `json:"left,omitempty"`    // of the deadline, while paused
	Told     []string      `json:"told,omitempty"`    // causes already reported to the orchestrator
	Letter   string        `json:"letter,omitempty"`  // dead letter whose task is expected in the broker's archive
}

// Work is one publication of a job and all that depends on it.
type Work struct {
	Job     tasks.Job `json:"job"`
	Holder  *Holder   `json:"holder,omitempty"`  // who runs it; nil while nobody does
	Retry   *Retry    `json:"retry,omitempty"`   // it is run again later
	Suspect *Suspect  `json:"suspect,omitempty"` // what the sweep saw at its last look
}

// Holder says who runs a job: a process and one run of it, never a name, since
// an agent that was killed and restarted has the same name.
type Holder struct {
	Incarnation string    `json:"incarnation"` // host:pid:nonce of the process
	Agent       string    `json:"agent"`
	Run         string    `json:"run"` // one run, chosen by the runtime at claim
	Revision    int       `json:"revision,omitempty"`
	Since       time.Time `json:"since"`
}

// Retry says when a job is run again, and why not now.
type Retry struct {
	At     time.Time `json:"at"`
	Why    string    `json:"why"`
	Parked bool      `json:"parked,omitempty"` // by a limit of its agent: another one may do it now
	Failed string    `json:"failed,omitempty"` // agent whose run failed: another one is tried where there is one
}

// Suspect is what a look of the sweep found odd; the second look acts on it.
type Suspect struct {
	What string    `json:"what"`
	At   time.Time `json:"at"`
}

// Approval is the event that a person is to fire, and what the agent has shown.
type Approval struct {
	Event    string         `json:"event"`
	Evidence map[string]any `json:"evidence,omitempty"`
}

// Merge is a place on a merge lease.
type Merge struct {
	Lease    string `json:"lease"`
	Member   string `json:"member"`   // its name there, another one for each stay
	Capacity int    `json:"capacity"` // owners at a time
	Granted  bool   `json:"granted,omitempty"`
}

// Job is the job that the present state asked for; nil while none is published.
func (r *Record) Job() *tasks.Job {
	if r.Stage.Work == nil {
		return nil
	}
	return &r.Stage.Work.Job
}

// Holder is who runs the job; nil while nobody does.
func (r *Record) Holder() *Holder {
	if r.Stage.Work == nil {
		return nil
	}
	return r.Stage.Work.Holder
}

// Suspect is what the sweep saw at its last look, nil for nothing.
func (r *Record) Suspect() *Suspect {
	if r.Stage.Work == nil {
		return nil
	}
	return r.Stage.Work.Suspect
}

// Question is the question that the PRP waits for an answer to, "" for none.
func (r *Record) Question() string {
	if n := len(r.Questions); n > 0 && r.Stage.Asked {
		return r.Questions[n-1].Question
	}
	return ""
}

// Clone copies the record so deep that a change of one is none of the other.
func (r Record) Clone() Record {
	c := r
	for _, s := range []*[]string{&c.Findings, &c.DependsOn, &c.BlockedBy, &c.Unresolved, &c.Reasons, &c.Stage.Told} {
		*s = slices.Clone(*s)
	}
	c.Questions, c.Dead, c.Agents = slices.Clone(r.Questions), slices.Clone(r.Dead), maps.Clone(r.Agents)
	if a := r.Stage.Approval; a != nil {
		c.Stage.Approval = &Approval{a.Event, maps.Clone(a.Evidence)}
	}
	c.Stage.Merge = shallow(r.Stage.Merge)
	if w := shallow(r.Stage.Work); w != nil {
		w.Holder, w.Retry, w.Suspect = shallow(w.Holder), shallow(w.Retry), shallow(w.Suspect)
		c.Stage.Work = w
	}
	return c
}

// shallow copies what a pointer points to.
func shallow[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
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
	Revision  int            `json:"revision,omitempty"` // of the document that the run had whose result caused it
	Evidence  map[string]any `json:"evidence"`
}

// DeadLetter is a job that was given up, kept until somebody retries the PRP.
type DeadLetter struct {
	ID       string    `json:"id"` // the job's id
	PRP      string    `json:"prp"`
	Queue    string    `json:"queue"`
	Cause    string    `json:"cause"` // one of the Cause constants
	Reason   string    `json:"reason"`
	Attempt  int       `json:"attempt"` // number of runs
	At       time.Time `json:"at"`
	Archived bool      `json:"archived,omitempty"` // its task was seen in the broker's archive
}

// Why jobs are given up.
const (
	CauseRetries  = "retries"  // it failed more often than it may
	CauseLost     = "lost"     // its agents died at it
	CauseRefused  = "refused"  // rejected, or its evidence refused, too often
	CauseDeadline = "deadline" // it stayed too long
	CauseArchived = "archived" // an operator archived its task
	CauseDocument = "document" // its document cannot be read
	CauseDamaged  = "damaged"  // the dead letter itself cannot be read
)
