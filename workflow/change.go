package workflow

import (
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Change is what one decision asks to be saved, all of it or nothing.
type Change struct {
	Token       string // random; makes the change safe to be sent twice
	SeenVersion int64  // 0: create
	SeenToken   string // of the change that made that version; "" is not compared
	SeenState   string
	Record      Record // as it shall be; Version is SeenVersion+1
	History     []Entry
	Outbox      []OutboxEntry
	Request     string        // request id that is used up, "" for none
	Event       string        // and the event that it was used for
	LookIn      time.Duration // time to the next look of the sweep, 0: none
	Hold        string        // incarnation that holds the PRP from now on
	Release     string        // incarnation that held it until now
	Publish     tasks.JobRef  // job that is out from now on
	Retire      tasks.JobRef  // job that was out until now
	Bury        []DeadLetter  // dead letters that arise
	Raise       []string      // dead letters that are gone
}
