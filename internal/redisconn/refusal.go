package redisconn

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// Refusal is an answer of Redis that says why it does not do what it was asked.
type Refusal struct {
	// Code is what the answer begins with, such as OOM.
	Code string
	// Passes is true where the same command may succeed later without anybody
	// changing the address or the rights.
	Passes bool
	// Sentence says what is wrong and what to do.
	Sentence string
}

// refusals is read from above; the first that fits counts.
var refusals = []Refusal{
	{"OOM", true, "Redis is out of memory and refuses writes: raise its maxmemory, or free some; nothing was changed"},
	{"MISCONF", true, "Redis cannot save to its disk and refuses writes: make room there and look at its log; nothing was changed"},
	{"NOREPLICAS", true, "Redis has fewer replicas than min-replicas-to-write asks for and refuses writes: start them, or lower that number; nothing was changed"},
	{"READONLY", true, "this Redis is a read-only replica: name its master, or use redis-sentinel://; nothing was changed"},
	{"MASTERDOWN", true, "this Redis is a replica that has lost its master and refuses to answer: wait for the failover, or name the master"},
	{"LOADING", true, "Redis is loading its data: try again in a moment"},
	{"BUSY ", true, "Redis is busy with a script of somebody: try again in a moment, or end it with SCRIPT KILL"},
	{"CLUSTERDOWN", true, "the Redis Cluster does not serve all its slots: look at CLUSTER INFO"},
	{"TRYAGAIN", true, "the Redis Cluster is moving the slot that was asked for: try again in a moment"},
	{"ERR max number of clients", true, "Redis has no connection left (maxclients): end some, or raise maxclients"},
	{"NOPERM", false, "the user of the Redis address may not do this: grant the right with ACL SETUSER"},
	{"ERR The user executing the script can't", false, ""},
	{"NOAUTH", false, "Redis asks for a password: write it into the address, as in redis://user:password@host:6379"},
	{"WRONGPASS", false, "Redis refuses the user or password of the address"},
}

// Refused finds the refusal of Redis in an error.
func Refused(err error) (r Refusal, ok bool) {
	for e := err; e != nil; e = unwrap(e) {
		text := e.Error()
		if _, answer := e.(redis.Error); !answer && !strings.Contains(text, "max number of clients") { //nolint:errorlint // each layer by itself
			continue
		}
		for _, r := range refusals {
			// Redis 6.2 puts a script's own error behind a minus sign.
			if strings.HasPrefix(text, r.Code) || strings.Contains(text, ": -"+r.Code) {
				if r.Code == "NOPERM" || r.Sentence == "" {
					r.Sentence = noRight(text)
				}
				return r, true
			}
		}
	}
	return Refusal{}, false
}

// Passes says that the same may succeed later without anybody changing the address or
// the rights: Redis cannot be asked now, refuses for now, or may be made the master.
func Passes(err error) bool {
	if refusal, ok := Refused(err); ok {
		return refusal.Passes
	}
	return errors.Is(err, errReplica) || IsUnavailable(err)
}

// unwrap goes down one layer, of several errors to the first with a refusal.
func unwrap(err error) error {
	if many, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // each layer by itself
		for _, e := range many.Unwrap() {
			if _, ok := Refused(e); ok {
				return e
			}
		}
		return nil
	}
	return errors.Unwrap(err)
}

// noRight names the right that is missing, and the line that grants it.
func noRight(text string) string {
	switch {
	case strings.Contains(text, "channel"):
		return "the user of the Redis address may not use its channels: grant it with ACL SETUSER USER &prpflow:* &agent:* &asynq:*"
	case strings.Contains(text, "key"):
		return "the user of the Redis address may not use its keys: grant it with ACL SETUSER USER ~prpflow:* ~asynq:* ~{*"
	}
	if _, name, ok := strings.Cut(text, "run the '"); ok {
		name, _, _ = strings.Cut(name, "'")
		return fmt.Sprintf("the user of the Redis address may not send %s: grant it with ACL SETUSER USER +%s", strings.ToUpper(name), name)
	}
	if strings.Contains(text, "executing the script") { // it does not say which
		return "the user of the Redis address may not send a command that the scripts of prpflow need: grant them with ACL SETUSER USER +@read +@write"
	}
	return "the user of the Redis address may not do this (" + text + "): grant the right with ACL SETUSER"
}

// ofThisMachine says that an error is of this machine and not of the way to Redis.
func ofThisMachine(err error) bool {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return false
	}
	_, number := errors.AsType[syscall.Errno](err)
	return number
}
