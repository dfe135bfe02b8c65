package config

import (
	"time"

	"github.com/prpflow/prpflow/internal/access"
	"github.com/prpflow/prpflow/internal/redisconn"
	"github.com/spf13/pflag"
)

// Config is what all verbs read.
type Config struct {
	// Redis is the address of the store.
	Redis string
	// RedisFile is the .prpflow/redis.url that named it, "" if something else did.
	RedisFile string
	// Listen is the address of the HTTP server.
	Listen string
	// Drain is how long running agents may finish after SIGTERM.
	Drain time.Duration
	// Insecure allows an open address without tokens.
	Insecure bool
	// Embedded keeps everything in memory, in place of a Redis.
	Embedded bool
	// AcceptEviction has serve work on a Redis that throws keys away.
	AcceptEviction bool
	// AsynqmonWrite lets asynqmon change queues and tasks.
	AsynqmonWrite bool
	// Tokens open the HTTP server, those of api.tokens and of api.tokens_file.
	Tokens []access.Token
	// Hosts are names that the HTTP server may be called by, beside its own.
	Hosts []string
	// StateDir is the folder of this user's results and logs.
	StateDir string
	// SpoolDir is the folder of messages that wait for Redis.
	SpoolDir string
	// MessagesLimit is how many messages may wait in one inbox.
	MessagesLimit int
	// From these on there is an alert; zero turns it off. Waiting are messages in an
	// inbox, Dead are those that died within an hour, Wait is the 95th percentile of
	// the last ten minutes, Oldest the age of the next message.
	AlertsWaiting, AlertsDead int
	AlertsWait, AlertsOldest  time.Duration
	// AuditEvery is how often books are checked and alerts are looked for.
	AuditEvery time.Duration
	// Rollback is RollbackAlert or RollbackTmux.
	Rollback string
	// ScaleTarget is within what time waiting work should be done.
	ScaleTarget time.Duration
	// Sources tells of each key where its value came from, in words.
	Sources map[string]string

	written map[string]string // key -> value as it was given
	named   []access.Token    // those of api.tokens
	tls     redisconn.TLS     // of redis.tls, which the address has as parameters
}

// Options says where to look. The zero value reads defaults only.
type Options struct {
	// Flags are those of the verb; nil for none. Flags that are no keys of the
	// configuration are left alone, as are those that were not given.
	Flags *pflag.FlagSet
	// Env is the environment, as os.Environ gives it.
	Env []string
	// Dir is the current folder, "" for the process' own.
	Dir string
	// OwnRedis is for verbs that bring a Redis where none is named: the address of
	// a local server is not looked for.
	OwnRedis bool
}

// The words for where a value came from.
const fromDefault = "default"

// RedisChosen reports whether somebody named a Redis: by flag, environment or
// file. Otherwise the address is that of a local server, or the default.
func (c Config) RedisChosen() bool {
	return c.RedisFile == "" && c.Sources[KeyRedis] != fromDefault
}

// Value is one line of `prpflow config`.
type Value struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Source string `json:"source"`
}

// Values lists every key with its value and source. Secrets are masked.
func (c Config) Values() []Value {
	var all []Value
	for _, k := range keys {
		v := Value{Key: k.name, Value: c.written[k.name], Source: c.Sources[k.name]}
		switch {
		case k.name == KeyRedis:
			v.Value = redisconn.Redacted(v.Value)
		case k.name == KeyAPITokens:
			v.Value = access.Mask(c.named)
		case k.secret && v.Value != "":
			v.Value = "***"
		}
		all = append(all, v)
	}
	return all
}
