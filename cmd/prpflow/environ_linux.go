package main

import (
	"encoding/json"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// handed names the descriptor that a process reads its own variables from.
const handed = "PRPFLOW_ENVIRONMENT_FD"

// hideEnvironment gives the environment to work with. A process that runs agents keeps
// nothing of prpflow's in the one that the kernel shows to whoever reads
// /proc/PID/environ: it starts itself anew without, and is handed its variables through
// a file that has no name.
func hideEnvironment(args, env []string) []string {
	// What whoever started this process left open is not for agents: not even for those
	// that run as another user.
	defer func() { _ = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC) }()
	if mine, ok := readHanded(env); ok {
		return mine
	}
	public := withoutOurs(env)
	if len(public) == len(env) || !runsAgents(args) {
		return env
	}
	program, err := os.Executable()
	if err != nil {
		return env
	}
	fd, err := unix.MemfdCreate("environment", 0) // inherited, and closed once it is read
	if err != nil {
		return env
	}
	file := os.NewFile(uintptr(fd), "environment")
	defer file.Close() // where all went well this is not reached
	if err := json.NewEncoder(file).Encode(env); err != nil {
		return env
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return env
	}
	_ = unix.Exec(program, os.Args, append(public, handed+"="+strconv.Itoa(fd)))
	return env // it was not started anew: the environment is as it was given
}

func readHanded(env []string) (mine []string, ok bool) {
	i := slices.IndexFunc(env, func(v string) bool { return strings.HasPrefix(v, handed+"=") })
	if i < 0 {
		return nil, false
	}
	_ = os.Unsetenv(handed)
	fd, err := strconv.Atoi(strings.TrimPrefix(env[i], handed+"="))
	if err != nil || fd < 3 {
		return nil, false
	}
	file := os.NewFile(uintptr(fd), "environment")
	defer file.Close()
	if json.NewDecoder(file).Decode(&mine) != nil {
		return nil, false
	}
	for _, v := range mine { // the kernel does not show what was set since the start
		if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "PRPFLOW_") {
			_ = os.Setenv(name, value)
		}
	}
	return mine, true
}

func withoutOurs(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, "PRPFLOW_") })
}

// runsAgents says whether the arguments are those of a verb that does.
func runsAgents(args []string) bool {
	verbs := slices.DeleteFunc(slices.Clone(args), func(a string) bool { return strings.HasPrefix(a, "-") })
	return len(verbs) > 0 && (slices.Contains(verbs, "serve") || slices.Contains(verbs, "agent"))
}
