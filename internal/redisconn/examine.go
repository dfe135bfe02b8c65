package redisconn

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Severity says how much a finding matters.
type Severity string

// The severities.
const (
	Severe  Severity = "severe"  // work is lost, or will be
	Warning Severity = "warning" // work can be lost, or nothing goes on in a while
	Note    Severity = "note"    // worth knowing; or it could not be seen
)

// Finding is something odd about a Redis.
type Finding struct {
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"`
	What     string   `json:"what"`
	Fix      string   `json:"fix"`
}

// RuleEviction is the rule of a Redis that throws keys away when its memory is full.
const RuleEviction = "eviction"

// clockSlack is how far the clock of a server may be from this machine's.
const clockSlack = 5 * time.Second

// Examine looks at how a Redis is set up, each master of a cluster, and changes nothing.
// What it may not see is a note. The error is that of a Redis that cannot be asked.
func Examine(ctx context.Context, rdb redis.UniversalClient) ([]Finding, error) {
	var mu sync.Mutex
	var all []Finding
	_, cluster := rdb.(*redis.ClusterClient)
	err := eachMaster(ctx, rdb, func(ctx context.Context, one *redis.Client) error {
		e := examiner{rdb: one}
		if cluster {
			e.where = one.Options().Addr + ": "
		}
		if err := e.look(ctx); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, e.found...)
		return nil
	})
	return all, err
}

// examiner looks at one server.
type examiner struct {
	rdb   *redis.Client
	where string
	found []Finding
}

func (e *examiner) add(s Severity, rule, fix, what string, args ...any) {
	e.found = append(e.found, Finding{s, rule, e.where + fmt.Sprintf(what, args...), fix})
}

func (e *examiner) look(ctx context.Context) error {
	sections := map[string]string{}
	for _, name := range []string{"server", "clients", "memory", "persistence", "replication"} {
		text, err := e.rdb.Info(ctx, name).Result()
		if err != nil {
			if !isReply(err) {
				return err
			}
			e.add(Note, "unseen", "grant it with ACL SETUSER USER +info, or ask whoever runs this Redis", "INFO is not allowed: memory, persistence and replicas could not be looked at")
			return e.clock(ctx)
		}
		for line := range strings.Lines(text) {
			if field, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				sections[field] = value
			}
		}
	}
	e.memory(sections)
	e.persistence(ctx, sections)
	e.replication(sections)
	if most, now := number(sections["maxclients"]), number(sections["connected_clients"]); most > 0 && now*10 > most*9 {
		e.add(Warning, "clients", "raise maxclients, or close connections", "%d of %d connections are in use", now, most)
	}
	return e.clock(ctx)
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func (e *examiner) memory(info map[string]string) {
	policy, most, used := info["maxmemory_policy"], number(info["maxmemory"]), number(info["used_memory"])
	switch {
	case strings.HasPrefix(policy, "allkeys") && most > 0:
		e.add(Severe, RuleEviction, "set maxmemory-policy noeviction", "it throws keys away when its memory is full (maxmemory-policy %s): PRPs would be lost without a word", policy)
	case strings.HasPrefix(policy, "allkeys"):
		e.add(Warning, RuleEviction, "set maxmemory-policy noeviction", "it would throw keys away as soon as somebody sets maxmemory (maxmemory-policy %s)", policy)
	case strings.HasPrefix(policy, "volatile") && most > 0:
		e.add(Warning, RuleEviction, "set maxmemory-policy noeviction", "it throws keys with a lifetime away when its memory is full (maxmemory-policy %s): a repeated request may count twice", policy)
	}
	if most > 0 && used*10 > most*9 {
		e.add(Warning, "memory", "raise maxmemory, or remove what is not needed", "%d of %d MiB are in use: when it is full, nothing moves", used>>20, most>>20)
	}
}

func (e *examiner) persistence(ctx context.Context, info map[string]string) {
	if info["aof_enabled"] == "" {
		return // it does not say
	}
	for field, what := range map[string]string{"aof_last_write_status": "its last write to the append-only file failed", "aof_last_bgrewrite_status": "its last rewrite of the append-only file failed", "rdb_last_bgsave_status": "its last snapshot failed"} {
		if status := info[field]; status != "" && status != "ok" {
			e.add(Severe, "disk", "look at its log and make room on its disk", "%s", what)
		}
	}
	set := map[string]string{}
	var err error
	for _, name := range []string{"appendfsync", "save"} { // by name: others hold passwords
		var value map[string]string
		if value, err = e.rdb.ConfigGet(ctx, name).Result(); err != nil {
			break
		}
		set[name] = value[name]
	}
	switch {
	case err != nil:
		e.add(Note, "unseen", "ask whoever runs this Redis for appendfsync and save", "CONFIG GET is not allowed: how often it writes to its disk could not be looked at")
		if info["aof_enabled"] == "0" {
			e.add(Warning, "persistence", "set appendonly yes", "it has no append-only file: a restart loses what came after its last snapshot, if it makes any")
		}
	case info["aof_enabled"] == "0" && set["save"] == "":
		e.add(Warning, "persistence", "set appendonly yes", "it keeps nothing on disk: a restart loses every PRP")
	case info["aof_enabled"] == "0":
		e.add(Warning, "persistence", "set appendonly yes", "it only makes snapshots (save %s): a restart loses what came after the last one", set["save"])
	case set["appendfsync"] == "no":
		e.add(Warning, "persistence", "set appendfsync everysec", "it leaves it to the system when its file is written (appendfsync no): a machine that dies loses up to half a minute")
	}
}

func (e *examiner) replication(info map[string]string) {
	switch {
	case info["role"] == "slave":
		e.add(Severe, "replica", "name its master, or use redis-sentinel://", "it is a replica of %s:%s", info["master_host"], info["master_port"])
	case info["role"] == "master" && info["connected_slaves"] == "0":
		e.add(Note, "replicas", "add a replica, and Sentinel or a cluster, if that is too long", "it has no replica: while it is down, nothing moves")
	}
}

func (e *examiner) clock(ctx context.Context) error {
	before := time.Now()
	at, err := e.rdb.Time(ctx).Result()
	switch {
	case err != nil && isReply(err):
		e.add(Severe, "rights", "grant it with ACL SETUSER USER +time", "TIME is not allowed")
		return nil
	case err != nil:
		return err
	}
	if off := at.Sub(before.Add(time.Since(before) / 2)); off.Abs() > clockSlack {
		e.add(Warning, "clock", "let both follow the same time (NTP)", "its clock is %s from this machine's; deadlines go by its own", off.Round(time.Second))
	}
	return nil
}
