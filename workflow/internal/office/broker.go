package office

import (
	"context"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Broker is a broker with Asynq's habits that hands nothing out by itself.
type Broker struct {
	o      *Office
	All    []*Task // the oldest first
	Paused map[string]bool
}

// Task is a task of a job.
type Task struct {
	Job, Queue string
	State      tasks.TaskState
	At         time.Time // of a delayed one
}

// Task finds the task of a job, nil where there is none.
func (b *Broker) Task(job string) *Task {
	for _, t := range b.All {
		if t.Job == job {
			return t
		}
	}
	return nil
}

// Put has a task of somebody's making in a queue.
func (b *Broker) Put(queue, job string, in tasks.TaskState) {
	b.All = append(b.All, &Task{Job: job, Queue: queue, State: in})
}

// Lose loses the task of a job.
func (b *Broker) Lose(job string) {
	b.All = slices.DeleteFunc(b.All, func(t *Task) bool { return t.Job == job })
}

// In lists the jobs of a queue's tasks.
func (b *Broker) In(queue string) []string {
	var jobs []string
	for _, t := range b.All {
		if t.Queue == queue {
			jobs = append(jobs, t.Job)
		}
	}
	return jobs
}

func (b *Broker) take(job string) {
	if t := b.Task(job); t != nil {
		t.State = tasks.Active
	}
}

// end does with the task of a delivered result what the verdict says.
func (b *Broker) end(job string, v tasks.Verdict) {
	t := b.Task(job)
	switch {
	case t == nil:
	case v.Failed:
		t.State = tasks.Archived
	case v.After > 0:
		t.State, t.At = tasks.Retrying, b.o.Now.Add(v.After)
	default:
		b.Lose(job)
	}
}

func (b *Broker) tick() {
	for _, t := range b.All {
		if t.State == tasks.Retrying && !t.At.After(b.o.Now) {
			t.State = tasks.Pending
		}
	}
}

// Enqueue is workflow.Broker's.
func (b *Broker) Enqueue(_ context.Context, j tasks.Job) error {
	if b.Task(j.ID) == nil {
		b.Put(j.Queue, j.ID, tasks.Pending)
	}
	return nil
}

// Remove is workflow.Broker's.
func (b *Broker) Remove(_ context.Context, queue, job string) error {
	if t := b.Task(job); t != nil && t.Queue == queue {
		b.Lose(job)
	}
	return nil
}

// States is workflow.Broker's.
func (b *Broker) States(_ context.Context, jobs []tasks.JobRef) ([]tasks.TaskState, error) {
	states := make([]tasks.TaskState, len(jobs))
	for i, j := range jobs {
		states[i] = tasks.Absent
		if t := b.Task(j.Job); t != nil && t.Queue == j.Queue {
			states[i] = t.State
		}
	}
	return states, nil
}

// List is workflow.Broker's.
func (b *Broker) List(_ context.Context, queue string, in tasks.TaskState, offset, limit int) ([]string, error) {
	var jobs []string
	for _, t := range b.All {
		if t.Queue == queue && t.State == in {
			jobs = append(jobs, t.Job)
		}
	}
	jobs = jobs[min(offset, len(jobs)):]
	return jobs[:min(limit, len(jobs))], nil
}

// Queues is workflow.Broker's.
func (b *Broker) Queues(ctx context.Context) ([]tasks.QueueState, error) {
	var names []string
	for _, t := range b.All {
		names = append(names, t.Queue)
	}
	for name := range b.Paused {
		names = append(names, name)
	}
	slices.Sort(names)
	return b.QueuesOf(ctx, slices.Compact(names))
}

// QueuesOf is workflow.Broker's.
func (b *Broker) QueuesOf(_ context.Context, queues []string) ([]tasks.QueueState, error) {
	states := make([]tasks.QueueState, len(queues))
	for i, name := range queues {
		states[i] = tasks.QueueState{Name: name, Paused: b.Paused[name]}
		for _, t := range b.All {
			switch {
			case t.Queue != name:
			case t.State == tasks.Pending:
				states[i].Pending++
			case t.State == tasks.Active:
				states[i].Active = append(states[i].Active, t.Job)
			case t.State != tasks.Archived:
				states[i].Delayed++
			}
		}
	}
	return states, nil
}
