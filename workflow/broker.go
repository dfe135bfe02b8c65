package workflow

import (
	"context"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Broker carries the tasks of jobs to agents. Every method may be repeated.
type Broker interface {
	Enqueue(ctx context.Context, j tasks.Job) error      // an id that is there already is success
	Remove(ctx context.Context, queue, job string) error // absent is success
	// States says where the tasks of jobs are, in one go.
	States(ctx context.Context, jobs []tasks.JobRef) ([]tasks.TaskState, error)
	// List gives about limit ids of a queue's tasks in a state, from the one at
	// offset on; pending ones in the order in which they are handed out.
	List(ctx context.Context, queue string, in tasks.TaskState, offset, limit int) ([]string, error)
	// Queues tells the size of every queue that is known.
	Queues(ctx context.Context) ([]tasks.QueueState, error)
	// QueuesOf tells it of the queues named, in their order, known or not.
	QueuesOf(ctx context.Context, queues []string) ([]tasks.QueueState, error)
}

// Registry knows which processes live and which agents they have.
type Registry interface {
	Processes(ctx context.Context) ([]tasks.Process, time.Time, error)
	// Probe writes where heartbeats are written: where it is refused, silence says
	// nothing about anybody.
	Probe(ctx context.Context, incarnation string) error
	// Forget drops a process whose work has been given to others, unless it has
	// beaten since it was seen.
	Forget(ctx context.Context, p tasks.Process) error
}
