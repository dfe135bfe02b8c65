package redisconn

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrUnreachable says that no Redis answers at the address.
//
//lint:ignore ST1005 Redis is a name
var ErrUnreachable = errors.New("Redis cannot be reached")

// unavailable starts the replies of servers that will serve again by themselves
// or after a failover: the same call may succeed later.
var unavailable = []string{
	"LOADING ", "READONLY ", "CLUSTERDOWN ", "MASTERDOWN ", "TRYAGAIN ", "NOREPLICAS ", "BUSY ", "UNBLOCKED ",
	"ERR max number of clients reached",
	"redis: all sentinels specified in configuration are unreachable",
	"redis: cluster has no nodes",
}

// IsUnavailable reports whether an error means that Redis could not be asked or
// could not serve now, so that nothing is known of the outcome and the call may
// be repeated. A cancelled context is not one, nor is a closed client.
func IsUnavailable(err error) bool {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, redis.Nil), errors.Is(err, redis.ErrClosed):
		return false
	case errors.Is(err, ErrUnreachable), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted):
		return true
	}
	if ofThisMachine(err) {
		return false // a full disk is no outage
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, start := range unavailable {
			// Redis 6.2 puts a script's own error behind a minus sign.
			if text := e.Error(); strings.HasPrefix(text, start) || strings.Contains(text, ": -"+start) {
				return true
			}
		}
	}
	return false
}
