package tasks

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Job is one order: run this task type for this PRP. A job is current while
// its ID and Fence are those of the PRP's record; a task whose job is not
// current is dropped unrun.
type Job struct {
	ID       string        `json:"id"`                 // <prp>:<fence>:<random>, the broker's task id
	PRP      string        `json:"prp"`                // id of the PRP
	Fence    int64         `json:"fence"`              // the record's fence when the job was made
	Type     string        `json:"type"`               // task type, e.g. prp.develop
	Role     string        `json:"role"`               // role that runs it
	Agent    string        `json:"agent,omitempty"`    // agent that it was routed to; "" = the role's queue
	Queue    string        `json:"queue"`              // broker queue
	Priority string        `json:"priority,omitempty"` // P0..P3, "" = P2
	Sticky   bool          `json:"sticky,omitempty"`   // routed to the agent that had the PRP before
	Timeout  time.Duration `json:"timeout,omitempty"`  // bound on one run that the lifecycle states, 0 = the agent's own
}

// ErrBadJobID is returned for a task id that NewJobID did not make.
var ErrBadJobID = errors.New("not a job id (want <prp>:<fence>:<random>)")

// NewJobID builds the id of a job. The nonce keeps two jobs apart whose fences
// are equal, which a failover that loses a second can bring about.
func NewJobID(prp string, fence int64, nonce string) string {
	return prp + ":" + strconv.FormatInt(fence, 10) + ":" + nonce
}

// ParseJobID takes a job id apart. The PRP's id may itself hold colons.
func ParseJobID(id string) (prp string, fence int64, err error) {
	end := strings.LastIndexByte(id, ':')
	if end <= 0 || end == len(id)-1 {
		return "", 0, fmt.Errorf("%q: %w", id, ErrBadJobID)
	}
	mid := strings.LastIndexByte(id[:end], ':')
	if mid <= 0 {
		return "", 0, fmt.Errorf("%q: %w", id, ErrBadJobID)
	}
	fence, err = strconv.ParseInt(id[mid+1:end], 10, 64)
	if err != nil || fence < 0 {
		return "", 0, fmt.Errorf("%q: %w", id, ErrBadJobID)
	}
	return id[:mid], fence, nil
}
