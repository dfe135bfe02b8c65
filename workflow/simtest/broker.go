package simtest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// How long the broker takes to notice that a server has died, as Asynq does.
const leaseLapse = 30 * time.Second

// broker is a broker with Asynq's habits: at least once, a lease for what is
// active, an archive, ids that are taken while the task is anywhere.
type broker struct {
	s      *Sim
	queues map[string][]*task // pending, the next first
	tasks  map[string]*task
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
	return &broker{s: s, queues: map[string][]*task{}, tasks: map[string]*task{}}
}

// orphan leaves what a dead process had to the lapse of its leases.
func (b *broker) orphan(p *process) {
	for _, t := range b.tasks {
		if t.owner == p {
			t.owner, t.lapses = nil, b.s.clock.Add(leaseLapse)
		}
	}
}

// abandon leaves a task whose acknowledgement was lost to the lapse of its lease.
func (b *broker) abandon(p *process, t *task) {
	if t.state == tasks.Active && t.owner == p {
		t.owner, t.lapses = nil, b.s.clock.Add(leaseLapse)
	}
}

// lapse hands out again all that is active, as Asynq does where leases were not
// renewed in time. Who runs it goes on.
func (b *broker) lapse() {
	for _, id := range sortedIDs(b.tasks) {
		if t := b.tasks[id]; t.state == tasks.Active {
			b.pend(t)
			b.s.ring(t.queue)
		}
	}
}

// tick brings back what is due.
func (b *broker) tick() {
	for _, id := range sortedIDs(b.tasks) {
		t := b.tasks[id]
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
}

// take gives a process the next task of its queues.
func (b *broker) take(p *process, queues []string) (*task, bool) {
	b.tick()
	for _, q := range queues {
		if len(b.queues[q]) > 0 {
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
	b.s.moved = true
	switch {
	case errors.As(answer, &retry):
		t.state, t.due = tasks.Retrying, b.s.clock.Add(retry.After)
	case errors.As(answer, &permanent):
		t.state = tasks.Archived
	default:
		delete(b.tasks, t.id)
	}
}

// live lists tasks that somebody will still be given.
func (b *broker) live() []string {
	var ids []string
	for _, id := range sortedIDs(b.tasks) {
		if b.tasks[id].state != tasks.Archived {
			ids = append(ids, id)
		}
	}
	return ids
}

func sortedIDs(m map[string]*task) []string {
	ids := make([]string, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
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
			c.tasks[j.ID] = t
			c.pend(t)
			c.s.ring(j.Queue)
		}
		return nil
	})
}

func (c client) State(_ context.Context, queue, job string) (tasks.TaskState, error) {
	return call(c.s, "state of", job, func() (tasks.TaskState, error) {
		c.tick()
		if t := c.tasks[job]; t != nil && t.queue == queue {
			return t.state, nil
		}
		return tasks.Absent, nil
	})
}

func (c client) Remove(_ context.Context, queue, job string) error {
	return do(c.s, "remove", job, func() error {
		t := c.tasks[job]
		if t == nil || t.queue != queue {
			return nil
		}
		c.s.moved = true
		delete(c.tasks, job)
		c.queues[queue] = slices.DeleteFunc(c.queues[queue], func(p *task) bool { return p == t })
		return nil
	})
}

func (c client) Pending(_ context.Context, queue string, limit int) ([]string, error) {
	return call(c.s, "pending in", queue, func() ([]string, error) {
		c.tick()
		var ids []string
		for _, t := range c.queues[queue] {
			ids = append(ids, t.id)
		}
		return ids[:min(len(ids), limit)], nil
	})
}

func (c client) Waiting(_ context.Context, queues []string) (map[string]int64, error) {
	return call(c.s, "waiting", "", func() (map[string]int64, error) {
		m := map[string]int64{}
		for _, q := range queues {
			m[q] = int64(len(c.queues[q]))
		}
		return m, nil
	})
}

func (c client) PausedOf(context.Context, []string) (map[string]bool, error) { return nil, nil }

// inbox keeps messages by their ids.
type inbox struct{ s *Sim }

func (i inbox) Put(_ context.Context, id, _, _, _, _ string) error {
	return do(i.s, "message", id, func() error { i.s.told[id] = true; return nil })
}
