package redisstore

import (
	"fmt"
	"hash/fnv"
	"net/url"
	"strings"

	"github.com/prpflow/prpflow/workflow"
)

// Keys outside of any partition.
const (
	metaKey = "prpflow:meta"
	// The leader's keys share a hash tag that is no part of the first one's name as
	// older programs know it: they are on one node, since the tag is the whole name.
	leaderKey      = "prpflow:sweeper"
	leaderReadsKey = "{prpflow:sweeper}:schema"
	leasesKey      = "prpflow:leases" // names of the merge leases
	// EventsChannel is where each change is announced: "<id> <version>".
	EventsChannel = "prpflow:events"
)

// errEmpty refuses a key that an empty part would make another one's.
var errEmpty = fmt.Errorf("%w: its name is empty", workflow.ErrNotFound)

// join makes a key of its parts. What users choose comes last, so that no choice
// makes one kind of key another: an id may hold ":".
func join(parts ...string) (string, error) {
	for _, part := range parts {
		if part == "" {
			return "", errEmpty
		}
	}
	return strings.Join(parts, ":"), nil
}

// partition is the number of a PRP's partition.
func (s *Store) partition(id string) int {
	h := fnv.New32a()
	h.Write([]byte(id))
	return int(h.Sum32() % uint32(s.cfg.Partitions))
}

func tag(partition int) string { return fmt.Sprintf("{p%d}", partition) }

func (s *Store) recordKey(id string) (string, error)  { return join(s.tagOf(id), "prp", id) }
func (s *Store) historyKey(id string) (string, error) { return join(s.tagOf(id), "history", id) }
func (s *Store) logsKey(id string) (string, error)    { return join(s.tagOf(id), "logs", id) }

func (s *Store) dependantsKey(id string) (string, error) {
	return join(s.tagOf(id), "dependants", id)
}

// requestKey escapes the id: else one PRP's key could be another's.
func (s *Store) requestKey(id, request string) (string, error) {
	return join(s.tagOf(id), "request", url.QueryEscape(id), request)
}

func (s *Store) tagOf(id string) string { return tag(s.partition(id)) }

func heldKey(p int, incarnation string) (string, error) { return join(tag(p), "held", incarnation) }

func leaseKey(lease string) (string, error) { return join("prpflow", "lease", lease) }

func documentKey(sha string) (string, error) { return join("prpflow", "document", sha) }

func lifecycleKey(hash string) (string, error) { return join("prpflow", "lifecycle", hash) }

func dueKey(p int) string       { return tag(p) + ":due" }
func indexKey(p int) string     { return tag(p) + ":index" }
func statesKey(p int) string    { return tag(p) + ":states" }
func publishedKey(p int) string { return tag(p) + ":published" } // hash: job that is out -> its queue
func eventsKey(p int) string    { return tag(p) + ":events" }

// deadKey is the dead letters, deadTimesKey when they were buried.
func deadKey(p int) string      { return tag(p) + ":dead" }
func deadTimesKey(p int) string { return tag(p) + ":dead:times" }

func outboxPrefix(p int) string { return tag(p) + ":outbox" }

// keyring collects keys, and the first refusal among them.
type keyring struct {
	keys []string
	err  error
}

func (k *keyring) add(key string, err error) {
	k.keys = append(k.keys, key)
	if k.err == nil {
		k.err = err
	}
}
