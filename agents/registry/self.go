package registry

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/prpflow/prpflow/agents/internal/proc"
	"github.com/prpflow/prpflow/tasks"
)

// Self describes this process: a new incarnation, and by what others on the
// machine can prove it dead. host "" takes the machine's name.
func Self(host, version string) (tasks.Process, error) {
	if host == "" {
		name, err := os.Hostname()
		if err != nil {
			return tasks.Process{}, fmt.Errorf("registry: host name: %w", err)
		}
		host = name
	}
	host = strings.NewReplacer(":", "-", "/", "-", " ", "-").Replace(host)
	var nonce [6]byte
	rand.Read(nonce[:]) // never fails (crypto/rand)
	p := tasks.Process{
		Incarnation: fmt.Sprintf("%s:%d:%s", host, os.Getpid(), hex.EncodeToString(nonce[:])),
		Host:        host, PID: os.Getpid(), Version: version,
		BootID: proc.BootID(), PIDNS: proc.Namespace(),
	}
	if me, err := proc.Read(p.PID); err == nil {
		p.StartTime = me.Start
	}
	return p, nil
}

// provenDead says whether a process is certainly dead: it ran on this kernel,
// in this pid namespace, and its number is free, a zombie's or another's. No
// proof is no sign of life.
func provenDead(p tasks.Process) bool {
	if p.BootID == "" || p.PIDNS == "" || p.StartTime == "" || p.BootID != proc.BootID() || p.PIDNS != proc.Namespace() {
		return false
	}
	now, err := proc.Read(p.PID)
	if err != nil {
		// /proc may hide the processes of other users; a signal finds them.
		return errors.Is(err, os.ErrNotExist) && errors.Is(syscall.Kill(p.PID, 0), syscall.ESRCH)
	}
	return now.Start != p.StartTime || !now.Alive()
}
