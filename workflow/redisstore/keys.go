package redisstore

import (
	"fmt"
	"hash/fnv"
)

// Keys outside of any partition.
const (
	metaKey   = "prpflow:meta"
	leaderKey = "prpflow:sweeper"
	// EventsChannel is where each change is announced: "<id> <version>".
	EventsChannel = "prpflow:events"
)

// partition is the number of a PRP's partition.
func (s *Store) partition(id string) int {
	h := fnv.New32a()
	h.Write([]byte(id))
	return int(h.Sum32() % uint32(s.cfg.Partitions))
}

func tag(partition int) string { return fmt.Sprintf("{p%d}", partition) }

func (s *Store) recordKey(id string) string  { return tag(s.partition(id)) + ":prp:" + id }
func (s *Store) historyKey(id string) string { return s.recordKey(id) + ":history" }
func (s *Store) logsKey(id string) string    { return s.recordKey(id) + ":logs" }

func (s *Store) requestKey(id, request string) string {
	return s.recordKey(id) + ":request:" + request
}

func (s *Store) dependantsKey(id string) string { return s.recordKey(id) + ":dependants" }

func dueKey(p int) string    { return tag(p) + ":due" }
func indexKey(p int) string  { return tag(p) + ":index" }
func statesKey(p int) string { return tag(p) + ":states" }
func eventsKey(p int) string { return tag(p) + ":events" }
func deadKey(p int) string   { return tag(p) + ":dead" }

func heldKey(p int, incarnation string) string { return tag(p) + ":held:" + incarnation }

func outboxPrefix(p int) string { return tag(p) + ":outbox" }

func leaseKey(lease string) string { return "{lease:" + lease + "}" }

func documentKey(sha string) string { return "prpflow:document:" + sha }

func lifecycleKey(hash string) string { return "prpflow:lifecycle:" + hash }
