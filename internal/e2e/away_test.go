package e2e

import (
	"testing"
	"time"
)

// While Redis is away an agent's process lives on: one run ends meanwhile, one
// later, both count, and nobody runs them again. Asynq gives up its handlers
// after 30 s: the torture run waits for that too.
func TestRedisAwayRunsNobodyTwice(t *testing.T) {
	t.Parallel()
	away := 12 * time.Second
	if torture {
		away = 40 * time.Second
	}
	w := newWorld(t)
	w.serve("serve")
	w.write("do-developer", "hold")
	team := w.agents("agents", 2, everybody...)
	w.begins("PRP-1")
	w.begins("PRP-2")
	w.redis.Kill()
	time.Sleep(away / 2) // the outage itself
	w.write("go-PRP-1", "")
	time.Sleep(away / 2)
	// The sweep sees Redis again before the agents do.
	team.signal(stop)
	w.redis.Restart()
	time.Sleep(3 * time.Second)
	team.signal(cont)
	w.reaches("PRP-1", "complete")
	time.Sleep(8 * time.Second) // whoever is to be found gone is found by then
	w.write("go-PRP-2", "")
	w.reaches("PRP-2", "complete")
	for _, id := range []string{"PRP-1", "PRP-2"} {
		w.ran(id, 3)
		w.history(id).isExactly(straight...)
	}
}
