package simtest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// How long the broker takes to notice that a server has died, as Asynq does.
const leaseLapse = 30 * time.Second

// broker is a broker with Asynq's habits: at least once, a lease for what is
// active, an archive, ids that are taken while the task is anywhere.
type broker struct {
	s       *Sim
	queues  map[string][]*task // pending, the next first
	tasks   map[string]*task
	all     []*task              // the oldest first
	paused  map[string]bool      // queues
	changed map[string]time.Time // queue -> when it was last paused or resumed
}

type task struct {
	id, queue string
	order     tasks.Order
	state     tasks.TaskState
	due       time.Time // of a delayed one
	owner     *process  // of an active one
	lapses    time.Time // of one whose owner has died
}

func newBroker(s *Sim) *broker {
	return &broker{s: s, queues: map[string][]*task{}, tasks: map[string]*task{}, paused: map[string]bool{}, changed: map[string]time.Time{}}
}

// orphan leaves what a dead process had to the lapse of its leases.
func (b *broker) orphan(p *process) {
	for _, t := range b.all {
		if t.owner == p {
			b.leave(t)
		}
	}
}

// leave gives a task to the lapse of its lease.
func (b *broker) leave(t *task) {
	t.owner, t.lapses = nil, b.s.clock.Add(leaseLapse)
	b.s.ring(t.queue) // those who rest look when that is
}

// abandon leaves a task whose acknowledgement was lost to the lapse of its lease.
func (b *broker) abandon(p *process, t *task) {
	if t.state == tasks.Active && t.owner == p {
		b.leave(t)
	}
}

// lapse hands out again all that is active, as Asynq does where leases were not
// renewed in time. Who runs it goes on.
func (b *broker) lapse() {
	for _, t := range b.all {
		if t.state == tasks.Active {
			b.s.rerun[t.id] = true // a claim may be under way that an archived task is taken to be run again by
			b.pend(t)
		}
	}
}

// tick brings back what is due.
func (b *broker) tick() {
	for _, t := range b.all {
		switch {
		case t.state == tasks.Active && t.owner == nil && !t.lapses.After(b.s.clock),
			(t.state == tasks.Retrying || t.state == tasks.Scheduled) && !t.due.After(b.s.clock):
			b.pend(t)
		}
	}
}

func (b *broker) pend(t *task) {
	t.state, t.owner = tasks.Pending, nil
	b.queues[t.queue] = append(b.queues[t.queue], t)
	b.s.ring(t.queue)
}

// remove forgets a task.
func (b *broker) remove(t *task) {
	b.unlist(t)
	delete(b.tasks, t.id)
	b.all = slices.DeleteFunc(b.all, func(o *task) bool { return o == t })
}

// unlist takes a task off its queue.
func (b *broker) unlist(t *task) {
	b.queues[t.queue] = slices.DeleteFunc(b.queues[t.queue], func(p *task) bool { return p == t })
}

// take gives a process the next task of its queues.
func (b *broker) take(p *process, queues []string) (*task, bool) {
	b.tick()
	for _, q := range queues {
		if len(b.queues[q]) > 0 && !b.paused[q] {
			t := b.queues[q][0]
			b.queues[q] = b.queues[q][1:]
			t.state, t.owner = tasks.Active, p
			return t, true
		}
	}
	return nil, false
}

// finish is what a handler's answer does to its task. A task that was removed
// meanwhile, or handed to somebody else, is not touched.
func (b *broker) finish(p *process, t *task, answer error) {
	if b.tasks[t.id] != t || t.state != tasks.Active || t.owner != p {
		return
	}
	var retry *tasks.RetryAfterError
	var permanent *tasks.PermanentError
	t.owner = nil
	switch {
	case errors.As(answer, &retry):
		t.state, t.due = tasks.Retrying, b.s.clock.Add(retry.After)
		b.s.ring(t.queue)
	case errors.As(answer, &permanent):
		t.state = tasks.Archived
	default:
		b.remove(t)
	}
	b.s.checkReach(t.order.PRP)
}

// live lists tasks that somebody will still be given. What a relay has sent once
// more, too late, into the queue of an agent that is gone lies there until an
// agent of that name comes back and drops it.
func (b *broker) live() []string {
	var ids []string
	for _, t := range b.all {
		if t.state != tasks.Archived && b.s.served(t.queue) {
			ids = append(ids, t.id)
		}
	}
	return ids
}

// client is a process' view of the broker.
type client struct {
	*broker
}

func (c client) Enqueue(_ context.Context, j tasks.Job) error {
	return do(c.s, "enqueue", j.ID, func() error {
		if c.tasks[j.ID] == nil {
			t := &task{id: j.ID, queue: j.Queue, order: j.Order()}
			c.tasks[j.ID], c.all = t, append(c.all, t)
			c.pend(t)
		}
		return nil
	})
}

func (c client) States(_ context.Context, jobs []tasks.JobRef) ([]tasks.TaskState, error) {
	return call(c.s, "states", "", func() ([]tasks.TaskState, error) {
		c.tick()
		states := make([]tasks.TaskState, len(jobs))
		for i, j := range jobs {
			states[i] = tasks.Absent
			if t := c.tasks[j.Job]; t != nil && t.queue == j.Queue {
				states[i] = t.state
			}
		}
		return states, nil
	})
}

func (c client) Remove(_ context.Context, queue, job string) error {
	return do(c.s, "remove", job, func() error {
		t := c.tasks[job]
		if t == nil || t.queue != queue {
			return nil
		}
		c.remove(t)
		c.s.checkReach(t.order.PRP)
		return nil
	})
}

func (c client) List(_ context.Context, queue string, in tasks.TaskState, offset, limit int) ([]string, error) {
	return call(c.s, "list", queue, func() ([]string, error) {
		c.tick()
		from := c.all
		if in == tasks.Pending {
			from = c.queues[queue]
		}
		var ids []string
		for _, t := range from {
			if t.queue != queue || t.state != in {
				continue
			}
			if offset > 0 {
				offset--
				continue
			}
			if ids = append(ids, t.id); len(ids) == limit {
				break
			}
		}
		return ids, nil
	})
}

func (c client) Queues(context.Context) ([]tasks.QueueState, error) {
	return call(c.s, "queues", "", func() ([]tasks.QueueState, error) { return c.sizes(slices.Sorted(maps.Keys(c.queues))), nil })
}

func (c client) QueuesOf(_ context.Context, queues []string) ([]tasks.QueueState, error) {
	return call(c.s, "queues of", "", func() ([]tasks.QueueState, error) { return c.sizes(queues), nil })
}

func (b *broker) sizes(names []string) []tasks.QueueState {
	b.tick()
	states := make([]tasks.QueueState, len(names))
	at := make(map[string]int, len(names))
	for i, name := range names {
		states[i] = tasks.QueueState{Name: name, Paused: b.paused[name], Pending: int64(len(b.queues[name]))}
		at[name] = i
	}
	for _, t := range b.all {
		i, asked := at[t.queue]
		switch {
		case !asked:
		case t.state == tasks.Active:
			states[i].Active = append(states[i].Active, t.id)
		case t.state == tasks.Retrying || t.state == tasks.Scheduled:
			states[i].Delayed++
		}
	}
	return states
}

// inbox keeps messages by their ids.
type inbox struct{ s *Sim }

func (i inbox) Put(_ context.Context, id, _, _, _, _ string) error {
	return do(i.s, "message", id, func() error { i.s.want.told[id] = true; return nil })
}
