package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Process is a process as the kernel shows it.
type Process struct {
	PID    int
	Parent int
	State  byte // R, S, D, Z…
	Group  int
	Start  string // clock ticks from boot to its start: with PID and BootID, a name for ever
}

// Alive tells a process from what is left of one until its parent looks.
func (p Process) Alive() bool { return p.State != 'Z' && p.State != 'X' }

// Read tells of one process. errors.Is(err, os.ErrNotExist) where there is
// none.
func Read(pid int) (Process, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Process{}, err
	}
	return parse(pid, string(b))
}

// parse reads a stat line. The command's name, in parentheses, may hold
// anything: fields are counted from its end.
func parse(pid int, stat string) (Process, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return Process{}, errors.New("proc: stat is too short")
	}
	parent, perr := strconv.Atoi(fields[1])
	group, gerr := strconv.Atoi(fields[2])
	if err := errors.Join(perr, gerr); err != nil {
		return Process{}, fmt.Errorf("proc: stat: %w", err)
	}
	return Process{PID: pid, Parent: parent, State: fields[0][0], Group: group, Start: fields[19]}, nil
}

// Before says whether it started before the other one, or at the same tick.
func (p Process) Before(other string) bool {
	a, aerr := strconv.ParseUint(p.Start, 10, 64)
	b, berr := strconv.ParseUint(other, 10, 64)
	return aerr == nil && berr == nil && a <= b
}

// Env gives the value of a variable that a process was started with; ok is false
// where it has none, or may not be looked at.
func Env(pid int, name string) (value string, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return "", false
	}
	for v := range bytes.SplitSeq(b, []byte{0}) {
		if key, value, _ := strings.Cut(string(v), "="); key == name {
			return value, true
		}
	}
	return "", false
}

// All lists the processes; those that end meanwhile are left out.
func All() ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var all []Process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, err := Read(pid); err == nil {
			all = append(all, p)
		}
	}
	return all, nil
}

// HasEnv says whether a process was started with the variable, "KEY=value".
func HasEnv(pid int, variable string) bool {
	name, want, _ := strings.Cut(variable, "=")
	value, ok := Env(pid, name)
	return ok && value == want
}

// BootID names the run of the kernel, "" where it is not told.
func BootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// Namespace names the pid namespace of this process, "" where it is not told.
func Namespace() string {
	s, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return s
}
