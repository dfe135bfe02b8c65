package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// torture: everything as long as it is in production.
var torture = os.Getenv("PRPFLOW_TORTURE") != ""

// until is when the rounds of kills end, and no earlier than after one of each.
func until() time.Time {
	minutes, _ := strconv.ParseFloat(os.Getenv("PRPFLOW_TORTURE_MINUTES"), 64)
	return time.Now().Add(time.Duration(minutes * float64(time.Minute)))
}

// crew is two engines and two agent processes, so that one of each may die.
type crew struct {
	*world
	start map[string]func() *process
	procs map[string]*process
}

func newCrew(t *testing.T) *crew {
	w := newWorld(t)
	c := &crew{world: w, start: map[string]func() *process{}, procs: map[string]*process{}}
	for _, name := range []string{"serve-1", "serve-2"} {
		addr := w.freeAddr()
		c.start[name] = func() *process { return w.start(name, "serve", "--listen", addr) }
		c.procs[name] = c.start[name]()
		w.ready(c.procs[name], "http://"+addr)
	}
	one := w.agentsFile("agents-1", 4, everybody...)
	two := w.agentsFile("agents-2", 4, "dev-2:developer", "validator-2:validator", "integrator-2:integrator")
	for name, file := range map[string]string{"agents-1": one, "agents-2": two} {
		c.start[name] = func() *process { return w.start(name, "agent", "run", "--config", file) }
		c.procs[name] = c.start[name]()
	}
	return c
}

// batch submits some PRPs, and waits until a run is in hand.
func (c *crew) batch(round, size int) []string {
	var ids []string
	for i := range size {
		ids = append(ids, fmt.Sprintf("PRP-%d", 5000+round*100+i))
		c.doc(fmt.Sprintf("round-%d", round), ids[i])
	}
	c.want(0, "submit", c.path(fmt.Sprintf("round-%d", round)))
	return ids
}

// crashes kills a process in the middle of a batch and starts it again.
func (c *crew) crashes(name string) {
	c.procs[name].kill()
	time.Sleep(time.Second) // the outage itself
	c.procs[name] = c.start[name]()
}

// freezes stops an agent process for longer than its heartbeat allows.
func (c *crew) freezes() {
	c.procs["agents-1"].signal(stop)
	time.Sleep(8 * time.Second) // the outage itself
	c.procs["agents-1"].signal(cont)
}

func TestKilledProcessesLoseNothing(t *testing.T) {
	t.Parallel()
	victims := []string{"agents-1", "serve-1", "agents-2", "frozen"}
	if torture {
		victims = []string{"agents-1", "agents-2", "serve-1", "agents-1", "frozen", "agents-2",
			"serve-2", "agents-1", "redis", "agents-2", "serve-1", "agents-1"}
	}
	c := newCrew(t)
	for _, role := range []string{"developer", "validator", "integrator"} {
		c.write("do-"+role, "sleep 0.5")
	}
	var ids []string
	end := until()
	for round := 0; round < len(victims) || time.Now().Before(end); round++ {
		ids = append(ids, c.batch(round, 4)...)
		time.Sleep(time.Duration(200+rand.IntN(600)) * time.Millisecond) // any stage may be the one
		switch victim := victims[round%len(victims)]; victim {
		case "frozen":
			c.freezes()
		case "redis":
			c.redis.Kill()
			time.Sleep(8 * time.Second) // the outage itself
			c.redis.Restart()
		default:
			c.crashes(victim)
		}
	}
	c.eventually(2*time.Minute, fmt.Sprintf("all %d PRPs are complete", len(ids)), func() bool { return c.unfinished() == 0 })
	for _, id := range ids {
		c.history(id).isExactly(straight...)
	}
}
