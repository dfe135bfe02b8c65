package exec

import (
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/prpflow/prpflow/agents/internal/proc"
)

// family is the process as the parent of what its runs leave behind.
type family struct {
	spare func(pid int) bool
	mine  int // process group of this process: its own short-lived children are in it

	mu   sync.Mutex
	runs map[*process]bool
	kids map[int]bool // leaders and guards, which are waited for
}

// adopted is nil until Adopt.
var adopted atomic.Pointer[family]

// Adopt makes this process the parent of whatever its runs leave behind, however it
// hides, and buries it: at the end of a run all of it is gone, and no zombie stays, as
// process 1 of a container neither. It is for a program that has its children in its
// own process group, but for those that spare names. It is called once.
func Adopt(spare func(pid int) bool) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	f := &family{spare: spare, mine: syscall.Getpgrp(), runs: map[*process]bool{}, kids: map[int]bool{}}
	if adopted.CompareAndSwap(nil, f) {
		go func() {
			for range time.Tick(time.Second) {
				f.bury()
			}
		}()
	}
	return nil
}

// begin starts a child that is waited for.
func begin(cmd *exec.Cmd) error {
	f := adopted.Load()
	if f == nil {
		return cmd.Start()
	}
	f.mu.Lock() // nobody is looked at between its start and its being known
	defer f.mu.Unlock()
	err := cmd.Start()
	if err == nil {
		f.kids[cmd.Process.Pid] = true
	}
	return err
}

// buried forgets a child that was waited for: its number may be another's.
func buried(pid int) {
	if f := adopted.Load(); f != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.kids, pid)
	}
}

func begins(p *process) {
	if f := adopted.Load(); f != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.runs[p] = true
	}
}

// ends kills what is left of a run, and nothing of another's.
func ends(p *process) {
	f := adopted.Load()
	if f == nil {
		return
	}
	f.mu.Lock()
	delete(f.runs, p)
	f.mu.Unlock()
	for end := time.Now().Add(termWait); f.killOrphans(p.group.Start) > 0 && time.Now().Before(end); {
		time.Sleep(pollWait)
		f.bury()
	}
	f.bury()
}

// orphans are those whom this process has not started, but is the parent of.
func (f *family) orphans() (all []proc.Process) {
	listed, _ := proc.All() // no /proc, no orphans known
	for _, p := range listed {
		if p.Parent == os.Getpid() && p.Group != f.mine && !f.kids[p.PID] && (f.spare == nil || !f.spare(p.PID)) {
			all = append(all, p)
		}
	}
	return all
}

// killOrphans kills those that began since, unless they may be of a run that goes on:
// they have its mark, or none and began after it.
func (f *family) killOrphans(since string) (killed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.orphans() {
		if p.Alive() && !(p.Before(since) && p.Start != since) && !f.maybeOf(p) && syscall.Kill(p.PID, syscall.SIGKILL) == nil {
			killed++
		}
	}
	return killed
}

func (f *family) maybeOf(p proc.Process) bool {
	mark, marked := proc.Env(p.PID, resultVariable)
	for run := range f.runs {
		began := proc.Process{Start: run.group.Start}
		if marked && run.marker == resultVariable+"="+mark || !marked && began.Before(p.Start) {
			return true
		}
	}
	return false
}

// bury waits for orphans that have died.
func (f *family) bury() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.orphans() {
		if !p.Alive() {
			_, _ = syscall.Wait4(p.PID, nil, syscall.WNOHANG, nil)
		}
	}
}
