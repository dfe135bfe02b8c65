package exec

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/prpflow/prpflow/agents/internal/proc"
	"github.com/prpflow/prpflow/internal/plain"
)

// group is the process group of a run, as its folder remembers it.
type group struct {
	ID     int    `json:"pgid"`
	Start  string `json:"start_time"` // of its leader
	BootID string `json:"boot_id"`
	PIDNS  string `json:"pid_ns"` // a container has numbers of its own
}

// Times of an end by force.
const (
	termWait = time.Second            // from SIGTERM to SIGKILL
	pollWait = 10 * time.Millisecond  // between two looks
	pipeWait = 500 * time.Millisecond // for what is left in the pipes
)

func newGroup(leader int) group {
	g := group{ID: leader, BootID: proc.BootID(), PIDNS: proc.Namespace()}
	if p, err := proc.Read(leader); err == nil {
		g.Start = p.Start
	}
	return g
}

func (g group) save(path string) error {
	b, err := json.Marshal(g)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

// loadGroup reads what save has written; ok is false where nothing is known.
func loadGroup(path string) (g group, ok bool) {
	b, err := plain.Read(path, 1<<10)
	ok = err == nil && json.Unmarshal(b, &g) == nil && g.ID > 1 && g.BootID != ""
	return g, ok
}

func (g group) signal(s syscall.Signal) { _ = syscall.Kill(-g.ID, s) } // gone is what is wanted

// alive says whether anybody of the group lives. The kernel also counts the
// dead whom nobody has buried: in a container that may stay so for ever.
func (g group) alive() bool {
	if errors.Is(syscall.Kill(-g.ID, 0), syscall.ESRCH) {
		return false
	}
	all, err := proc.All()
	if err != nil {
		return true // no /proc: the kernel's word is all there is
	}
	for _, p := range all {
		if p.Group == g.ID && p.Alive() {
			return true
		}
	}
	return false
}

// gone waits until nobody of the group lives; false when the time is up.
func (g group) gone(within time.Duration) bool {
	for end := time.Now().Add(within); ; time.Sleep(pollWait) {
		if !g.alive() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// end ends the group: SIGTERM, and SIGKILL a second later to whoever is deaf,
// whether or not the command itself is still there. The group's number cannot
// become another's while anybody is in it. Those go too who left the group.
func (c *process) end() {
	defer c.guard.release()
	deaf := time.Now().Add(termWait)
	c.group.signal(syscall.SIGTERM)
	kill := time.NewTimer(termWait)
	select {
	case <-c.exited:
		c.reap()
	case <-kill.C:
	}
	kill.Stop()
	if !c.group.gone(time.Until(deaf)) {
		c.group.signal(syscall.SIGKILL)
	}
	<-c.exited
	c.reap()
	killStrays(c.marker)
	ends(c)
	c.group.gone(termWait)
	_ = os.Remove(c.note)
	c.hangUp(pipeWait)
}

// killStrays kills the processes of a run wherever they are. Whoever forks while
// it is looked for is found by the next look.
func killStrays(marker string) {
	for end := time.Now().Add(termWait); killMarked(marker) > 0 && time.Now().Before(end); {
		time.Sleep(pollWait)
	}
}

// killMarked kills the processes of a run by the variable that only they have.
func killMarked(marker string) (killed int) {
	all, _ := proc.All() // no /proc, no strays known
	for _, p := range all {
		if p.Alive() && p.PID != os.Getpid() && proc.HasEnv(p.PID, marker) {
			if syscall.Kill(p.PID, syscall.SIGKILL) == nil {
				killed++
			}
		}
	}
	return killed
}

// Reap ends what a dead runtime's run has left running. The folder tells the
// group; a number that has become another's is recognised by boot, by the
// leader's start time, and by the variable that only this run's processes have.
// Those are found also where the folder tells nothing: the runtime may have died
// before it noted the group.
func (Adapter) Reap(dir string) error {
	marker := resultVariable + "=" + filepath.Join(dir, resultName)
	g, ok := loadGroup(dir + groupSuffix)
	// Another boot's processes ended with it, another container's are out of reach.
	ours := ok && g.BootID == proc.BootID() && g.PIDNS == proc.Namespace() && g.ours(marker)
	if ours {
		g.signal(syscall.SIGKILL)
	}
	killStrays(marker)
	if ours {
		g.gone(termWait)
	}
	_ = os.Remove(dir + groupSuffix)
	return nil
}

// ours says whether the group is still that of the run.
func (g group) ours(marker string) bool {
	if p, err := proc.Read(g.ID); err == nil {
		return p.Start == g.Start && p.Group == g.ID
	}
	all, _ := proc.All()
	for _, p := range all {
		if p.Group == g.ID && proc.HasEnv(p.PID, marker) {
			return true
		}
	}
	return false
}
