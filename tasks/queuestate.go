package tasks

// JobRef names a job and the queue that its task is in.
type JobRef struct{ Job, Queue string }

// QueueState is what is in one queue of the broker.
type QueueState struct {
	Name    string
	Paused  bool
	Pending int64
	Delayed int64    // scheduled, or waiting for a retry
	Active  []string // jobs that were handed out
}

// Size is the number of tasks that are still to be done.
func (q QueueState) Size() int64 { return q.Pending + q.Delayed + int64(len(q.Active)) }
