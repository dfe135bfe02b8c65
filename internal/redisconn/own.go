package redisconn

import "sync"

// ownServers are the children of this process that are redis-servers.
var ownServers struct {
	mu       sync.Mutex
	starting int
	pids     map[int]bool
}

// Owns says whether a child of this process is a redis-server that it has started. While
// one is being started it says so of every child, since its number is not known yet.
func Owns(pid int) bool {
	ownServers.mu.Lock()
	defer ownServers.mu.Unlock()
	return ownServers.starting > 0 || ownServers.pids[pid]
}

// owning calls start, and remembers the number of the child that it started.
func owning(start func() (pid int, err error)) error {
	ownServers.mu.Lock()
	ownServers.starting++
	ownServers.mu.Unlock()
	pid, err := start()
	ownServers.mu.Lock()
	defer ownServers.mu.Unlock()
	ownServers.starting--
	if err == nil {
		if ownServers.pids == nil {
			ownServers.pids = map[int]bool{}
		}
		ownServers.pids[pid] = true
	}
	return err
}

func disown(pid int) {
	ownServers.mu.Lock()
	defer ownServers.mu.Unlock()
	delete(ownServers.pids, pid)
}
