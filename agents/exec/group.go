package exec

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/prpflow/prpflow/agents/internal/proc"
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
	return os.WriteFile(path, b, 0o600)
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
// become another's while anybody is in it. Of a run that was cut those go too
// who left the group.
func (c *process) end(wasCut bool) {
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
	if wasCut {
		killMarked(c.marker)
	}
	c.group.gone(termWait)
	c.hangUp(pipeWait)
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
func (Adapter) Reap(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, groupName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("exec: reap: %w", err)
	}
	var g group
	if json.Unmarshal(b, &g) != nil || g.ID <= 1 || g.BootID == "" || g.BootID != proc.BootID() {
		return nil // cut off while it was written, or of another boot: nothing of it can run
	}
	if g.PIDNS != proc.Namespace() {
		return nil // of another container: its processes ended with it, or are out of reach
	}
	marker := resultVariable + "=" + filepath.Join(dir, resultName)
	if g.ours(marker) {
		g.signal(syscall.SIGKILL)
	}
	// Whoever forks while it is looked for is found by the next look.
	for end := time.Now().Add(termWait); killMarked(marker) > 0 && time.Now().Before(end); {
		time.Sleep(pollWait)
	}
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
