package workflow

import (
	"context"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

// Place is a live agent with what waits for it.
type Place struct {
	tasks.Agent
	Incarnation string
	Schema      int             // of the records that its process reads
	Waiting     int64           // in its queues
	Paused      map[string]bool // which of them hand out nothing
}

// Refuses says why the agent takes no work from a queue of its own now, "" where
// it does. Whoever chooses an agent asks this, and nothing else.
func (p Place) Refuses(queue string, now time.Time) string {
	if why := p.Unavailable(now); why != "" {
		return why
	}
	if p.Schema < SchemaVersion {
		return "runs an older prpflow"
	}
	if p.Paused[queue] {
		return "has a paused queue"
	}
	return ""
}

// LivePlaces lists the agents of the processes that live, by the registry's
// clock, with what is in their queues. broker may be nil.
func LivePlaces(ctx context.Context, broker Broker, processes []tasks.Process, now time.Time) ([]Place, error) {
	places, queues := []Place{}, []string{}
	for _, p := range processes {
		if !p.Alive(now) {
			continue
		}
		for _, a := range p.Agents {
			places = append(places, Place{Agent: a, Incarnation: p.Incarnation, Schema: p.Schema, Paused: map[string]bool{}})
			queues = append(queues, tasks.AgentQueues(a.Name)...)
		}
	}
	if broker == nil || len(queues) == 0 {
		return places, nil
	}
	states, err := broker.QueuesOf(ctx, queues)
	if err != nil {
		return nil, err
	}
	each := len(tasks.Priorities)
	for i := range places {
		for _, q := range states[i*each : (i+1)*each] {
			places[i].Waiting += q.Pending
			places[i].Paused[q.Name] = q.Paused
		}
	}
	return places, nil
}
