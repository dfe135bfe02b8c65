package agents

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Handler does the work of an agent: a command, a builtin, a Go function.
//
// The context of a run ends when the run is no longer wanted or its time is up
// (context.Cause is then ErrTimeout). A handler that was interrupted and has
// nothing to report answers the zero Result.
type Handler interface {
	Run(ctx context.Context, t Task) tasks.Result
}

// HandlerFunc makes a Go function an agent.
type HandlerFunc func(ctx context.Context, t Task) tasks.Result

// Run calls the function.
func (f HandlerFunc) Run(ctx context.Context, t Task) tasks.Result { return f(ctx, t) }

// Adapter makes a handler of what an agents file describes, and ends what a
// dead runtime's handler has left running.
type Adapter interface {
	// Handler checks the description and makes the agent.
	Handler(spec Spec) (Handler, error)
	// Reap ends the processes of a run whose runtime is proven dead; dir is the
	// run's folder. It returns when they are gone.
	Reap(dir string) error
}

// Task is what a handler is given.
type Task struct {
	tasks.Assignment
	Run   tasks.Run
	Agent Spec
	Dir   string // the run's own folder; gone when the run is over
	// Messages are what waited in the agent's inbox, as JSON, the oldest first. They
	// are acknowledged with a result that comes to an end.
	Messages []json.RawMessage
	Log      *Log // what the agent says
	// Stopping is closed when the process takes nothing more: an agent that ends by a
	// signal then was not asked to by its work. Nil: never.
	Stopping <-chan struct{}
}

// ErrTimeout is the cause of a context whose run took longer than its timeout.
var ErrTimeout = errors.New("the run took longer than its timeout")

// ErrNameTaken says that another live process holds an agent's name.
var ErrNameTaken = errors.New("the agent's name is taken")

// Engine is where results go back. workflow.Engine satisfies it. An error that
// is neither tasks.ErrStale nor a word to the broker (tasks.Permanent,
// tasks.RetryAfter) means that nothing is known: the runtime asks again.
type Engine interface {
	// Claim asks for a job before it is run.
	Claim(ctx context.Context, c tasks.Claim) (tasks.Assignment, error)
	// Deliver hands in the result of a run.
	Deliver(ctx context.Context, d tasks.Delivery) (tasks.Verdict, error)
	// HandBack gives a run back that was interrupted, or could not be started; it
	// costs nothing. The reason follows the agent's name: "was drained".
	HandBack(ctx context.Context, run tasks.Run, reason string) error
	// Current says which of the runs in hand must stop.
	Current(ctx context.Context, runs []tasks.Run) (stale []tasks.Run, err error)
	// PutLog keeps what a run has printed so far.
	PutLog(ctx context.Context, run tasks.Run, text string) error
}

// Mail is where the messages of agents wait. agents/inbox has it.
type Mail interface {
	// Hold takes the messages that wait for an agent, and those for its role, of which
	// one agent is given each.
	Hold(ctx context.Context, agent, role string) (Letters, error)
}

// Letters are messages that a run has in hand.
type Letters interface {
	Messages() []json.RawMessage
	// Done acknowledges them, Return gives them back; the first call counts.
	Done(ctx context.Context) error
	Return(ctx context.Context) error
}

// Registry is where a process says that it lives. agents/registry has it.
type Registry interface {
	// Register claims the names of the process' agents. ErrNameTaken.
	Register(ctx context.Context, p tasks.Process) error
	// Beat renews it and shows the runs in hand. ErrNameTaken where another
	// process took a name over while this one was silent.
	Beat(ctx context.Context, p tasks.Process) error
	// Leave says good-bye.
	Leave(ctx context.Context, incarnation string) error
	// Processes shows everybody, with the time by the registry's clock.
	Processes(ctx context.Context) ([]tasks.Process, time.Time, error)
}
