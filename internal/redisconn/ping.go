package redisconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrUnusable marks a Redis that answers, but cannot serve: wrong password, too
// old, a read-only replica.
var ErrUnusable = errors.New("this Redis cannot be used")

// errReplica marks a server that may be made the master.
var errReplica = errors.New("read-only replica")

// Oldest is the oldest version of Redis that has all that prpflow uses.
const Oldest = "6.2"

// unreachable is a sentence for people that programs find as ErrUnreachable.
type unreachable struct {
	where string
	err   error
}

func (u *unreachable) Error() string {
	switch {
	case errors.Is(u.err, errHandshake):
		return fmt.Sprintf("Redis at %s does not answer to TLS: use redis:// if it speaks none at this port", u.where)
	case errors.Is(u.err, io.EOF):
		return fmt.Sprintf("Redis at %s closes the connection: use rediss:// if this is its port for TLS", u.where)
	}
	return fmt.Sprintf("Redis at %s does not answer (%s)", u.where, cause(u.err))
}
func (u *unreachable) Unwrap() error        { return u.err }
func (u *unreachable) Is(target error) bool { return target == ErrUnreachable }

// unusable is the same for ErrUnusable.
type unusable struct {
	text string
	err  error
}

func (u *unusable) Error() string        { return u.text }
func (u *unusable) Unwrap() error        { return u.err }
func (u *unusable) Is(target error) bool { return target == ErrUnusable }

// Ping checks that Redis answers and can serve. It fails with a sentence that is
// an ErrUnreachable or an ErrUnusable, after 4 s at the latest.
func Ping(ctx context.Context, rdb redis.UniversalClient) error { return ping(ctx, rdb, fit) }

// PingToLook is for who only reads: a replica is good enough, and so is a server that
// cannot save, which refuses PING, and answers what is read.
func PingToLook(ctx context.Context, rdb redis.UniversalClient) error {
	err := ping(ctx, rdb, recent)
	if refusal, ok := Refused(err); ok && refusal.Code == "MISCONF" {
		return nil
	}
	return err
}

func ping(ctx context.Context, rdb redis.UniversalClient, check func(context.Context, string, *redis.Client) error) error {
	limited, cancel := context.WithTimeout(ctx, patience+time.Second)
	defer cancel()
	where := Address(rdb)
	if err := rdb.Ping(limited).Err(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err() // the caller's own end, not Redis'
		}
		return explain(where, err)
	}
	return eachMaster(limited, rdb, func(ctx context.Context, one *redis.Client) error {
		return check(ctx, where, one)
	})
}

// explain turns the first error that a connection meets into a sentence.
func explain(where string, err error) error {
	text := err.Error()
	if trouble := insecurely(err); trouble != "" {
		return &unusable{fmt.Sprintf("Redis at %s: %s", where, trouble), err}
	}
	switch {
	case errors.Is(err, ErrURL): // a file of certificates
		return err
	case strings.Contains(text, "NOAUTH"):
		return &unusable{fmt.Sprintf("Redis at %s asks for a password: write it into the address, as in redis://user:password@host:6379", where), err}
	case strings.Contains(text, "WRONGPASS"), strings.Contains(text, "invalid password"), strings.Contains(text, "without any password configured"):
		return &unusable{fmt.Sprintf("Redis at %s refuses the user or password of the address", where), err}
	case strings.Contains(text, "NOPERM"):
		return &unusable{fmt.Sprintf("Redis at %s does not let this user send PING: grant it with ACL SETUSER USER +ping", where), err}
	case strings.Contains(text, "cluster support disabled"):
		return &unusable{fmt.Sprintf("Redis at %s is no cluster: use redis:// in place of redis-cluster://", where), err}
	case IsUnavailable(err), !isReply(err):
		return &unreachable{where, err}
	}
	return &unusable{fmt.Sprintf("Redis at %s cannot be used: %s", where, text), err}
}

// isReply tells an answer of the server from what befell the connection.
func isReply(err error) bool {
	_, ok := errors.AsType[redis.Error](err)
	return ok
}

// fit reads what the server says of itself. A server that does not say (miniredis,
// or a managed Redis without INFO) passes.
func fit(ctx context.Context, where string, rdb *redis.Client) error {
	if err := recent(ctx, where, rdb); err != nil {
		return err
	}
	role := info(ctx, rdb, "replication")
	if role["role"] == "slave" && role["slave_read_only"] != "0" {
		master := net.JoinHostPort(role["master_host"], role["master_port"])
		return &unusable{fmt.Sprintf("Redis at %s is a read-only replica: use its master %s, or redis-sentinel://", where, master), errReplica}
	}
	return nil
}

// recent reads the version only.
func recent(ctx context.Context, where string, rdb *redis.Client) error {
	if v := info(ctx, rdb, "server")["redis_version"]; v != "" && older(v, Oldest) {
		return &unusable{text: fmt.Sprintf("Redis at %s is version %s, prpflow needs %s or later", where, v, Oldest)}
	}
	return nil
}

// info is one section of INFO; empty where the server does not give it.
func info(ctx context.Context, rdb *redis.Client, section string) map[string]string {
	fields := map[string]string{}
	text, err := rdb.Info(ctx, section).Result()
	if err != nil {
		return fields
	}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// older compares versions by their numbers; what is no number counts as 0.
func older(version, than string) bool {
	have, want := strings.Split(version, "."), strings.Split(than, ".")
	for i, w := range want {
		var h int
		if i < len(have) {
			h, _ = strconv.Atoi(have[i])
		}
		if n, _ := strconv.Atoi(w); h != n {
			return h < n
		}
	}
	return false
}

// eachMaster calls check for every server that takes writes. The first refusal
// comes back; a cluster asks its masters side by side.
func eachMaster(ctx context.Context, rdb redis.UniversalClient, check func(context.Context, *redis.Client) error) error {
	switch c := rdb.(type) {
	case *redis.Client:
		return check(ctx, c)
	case *redis.ClusterClient:
		var mu sync.Mutex
		return c.ForEachMaster(ctx, func(ctx context.Context, one *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			return check(ctx, one)
		})
	}
	return nil
}

// Address is the host and port of a client, or those of its seeds.
func Address(rdb redis.UniversalClient) string {
	switch c := rdb.(type) {
	case *redis.Client:
		if addr := c.Options().Addr; addr != "FailoverClient" {
			return addr
		}
		return "the master that Sentinel names"
	case *redis.ClusterClient:
		return strings.Join(c.Options().Addrs, ",")
	}
	return "the configured address"
}

// cause is the innermost thing that went wrong, without the layers around it.
func cause(err error) string {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return "no reply in time"
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}
