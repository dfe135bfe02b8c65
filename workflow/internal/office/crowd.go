package office

import (
	"context"
	"slices"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// Crowd is a registry whose processes a test moves.
type Crowd struct {
	o       *Office
	Members []*Process
	Then    func() // what happens once they have been read
	Refuses error  // heartbeats are refused
}

// Process is one of them.
type Process struct {
	tasks.Process
	Silent bool // it beats no more
}

// Join has a process come.
func (c *Crowd) Join(incarnation string, agents ...tasks.Agent) *Process {
	p := &Process{Process: tasks.Process{Incarnation: incarnation, Schema: workflow.SchemaVersion, Agents: slices.Clone(agents), Seen: c.o.Now, Beats: 1}}
	c.Members = append(c.Members, p)
	return p
}

// Process finds one, nil where nobody knows it.
func (c *Crowd) Process(incarnation string) *Process {
	for _, p := range c.Members {
		if p.Incarnation == incarnation {
			return p
		}
	}
	return nil
}

// Agent finds an agent to change what its heartbeats show.
func (c *Crowd) Agent(name string) *tasks.Agent {
	for _, p := range c.Members {
		for i := range p.Agents {
			if p.Agents[i].Name == name {
				return &p.Agents[i]
			}
		}
	}
	c.o.Fatalf("no agent is called %s", name)
	return nil
}

func (c *Crowd) beat() {
	if c.Refuses != nil {
		return
	}
	for _, p := range c.Members {
		if !p.Silent {
			p.Beats++
			p.Seen = c.o.Now
		}
	}
}

func (c *Crowd) hand(run tasks.Run) {
	if p := c.Process(run.Incarnation); p != nil {
		p.Runs = append(slices.Clone(p.Runs), run)
		c.count(p, run.Agent, 1)
	}
}

func (c *Crowd) drop(run tasks.Run) {
	if p := c.Process(run.Incarnation); p != nil {
		p.Runs = slices.DeleteFunc(slices.Clone(p.Runs), func(r tasks.Run) bool { return r.ID == run.ID })
		c.count(p, run.Agent, -1)
	}
}

func (c *Crowd) count(p *Process, agent string, by int) {
	for i := range p.Agents {
		if p.Agents[i].Name == agent {
			p.Agents[i].Running += by
		}
	}
}

// Forgets has a process lose a run without a word.
func (c *Crowd) Forgets(run tasks.Run) { c.drop(run) }

// Processes is workflow.Registry's.
func (c *Crowd) Processes(context.Context) ([]tasks.Process, time.Time, error) {
	var read []tasks.Process
	for _, p := range c.Members {
		shown := p.Process
		shown.Agents = slices.Clone(p.Agents)
		read = append(read, shown)
	}
	now := c.o.Now
	if c.Then != nil {
		c.Then()
	}
	return read, now, nil
}

// Probe is workflow.Registry's.
func (c *Crowd) Probe(context.Context, string) error { return c.Refuses }

// Forget is workflow.Registry's.
func (c *Crowd) Forget(_ context.Context, gone tasks.Process) error {
	c.Members = slices.DeleteFunc(c.Members, func(p *Process) bool { return p.Incarnation == gone.Incarnation && p.Beats == gone.Beats })
	return nil
}
