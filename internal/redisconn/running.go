package redisconn

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// errEnded says that nothing listens at an address.
var errEnded = errors.New("no redis-server listens there")

// endpoint is where a local server listens.
type endpoint struct{ network, addr string }

// url is the endpoint as an address of Redis.
func (p endpoint) url() string {
	if p.network == "unix" {
		return socketURL(p.addr)
	}
	return "redis://" + p.addr
}

// local reads an address that names a local server: a socket, or a port of
// 127.0.0.1 as earlier versions used.
func local(address string) (p endpoint, ok bool) {
	o, _, err := parse(address)
	switch {
	case err != nil || len(o.Addrs) != 1 || o.IsClusterMode || o.MasterName != "":
		return p, false
	case strings.HasPrefix(o.Addrs[0], "/"):
		return endpoint{"unix", o.Addrs[0]}, true
	}
	return endpoint{"tcp", o.Addrs[0]}, strings.HasPrefix(o.Addrs[0], "127.0.0.1:")
}

// running is a server that has answered.
type running struct {
	endpoint
	pid  int
	data string   // its folder; "" where it is not a Redis, or does not tell
	conn net.Conn // ends when the server does
}

// ask waits until the server at an endpoint has answered who it is, as long as it
// loads its data or hangs. Where nothing listens that is errEnded. At a port, what
// is silent for stopTimeout may be anything, which is an error.
func (p endpoint) ask(ctx context.Context) (running, error) {
	for heard := time.Now(); ; {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, p.network, p.addr)
		switch {
		case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
			return running{}, errEnded
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return running{}, ctx.Err()
		case err == nil:
			r := running{endpoint: p, conn: conn}
			if r.data, r.pid, err = p.identity(ctx); err == nil {
				return r, nil
			}
			_ = conn.Close()
			if isReply(err) {
				heard = time.Now()
			}
		case !late(err):
			return running{}, err
		}
		if p.network != "unix" && time.Since(heard) > stopTimeout {
			return running{}, fmt.Errorf("no answer within %s, and it may be a redis-server that hangs: end it, or remove %s", stopTimeout, filepath.Join(localFolder, urlFile))
		}
		if err := pause(ctx, firstWait/2); err != nil {
			return running{}, err
		}
	}
}

// late tells a server that does not come to accept from one that cannot be dialled.
func late(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout() || errors.Is(err, syscall.EAGAIN)
}

// identity asks a server for its folder and pid. An error means that it may
// answer later; what answers, but not this, has no folder.
func (p endpoint) identity(ctx context.Context) (data string, pid int, err error) {
	rdb := p.probe()
	defer rdb.Close()
	folder, err := rdb.ConfigGet(ctx, "dir").Result()
	if err != nil {
		if IsUnavailable(err) || ctx.Err() != nil {
			return "", 0, err
		}
		return "", 0, nil
	}
	pid, _ = strconv.Atoi(info(ctx, rdb, "server")["process_id"])
	return folder["dir"], pid, nil
}

// probe is a client that gives up at once.
func (p endpoint) probe() *redis.Client {
	return redis.NewClient(&redis.Options{
		Network: p.network, Addr: p.addr, PoolSize: 1,
		MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Second, ReadTimeout: time.Second, Protocol: 2, DisableIdentity: true,
	})
}

// ended waits for the end of the server. It is false where ctx ends first.
func (r running) ended(ctx context.Context) bool {
	_ = r.conn.SetReadDeadline(time.Time{})
	stop := context.AfterFunc(ctx, func() { _ = r.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	_, _ = r.conn.Read(make([]byte, 1)) // it has nothing to say on this connection
	return ctx.Err() == nil
}

// alive reports whether it is still the process that answered.
func (r running) alive() bool {
	if r.conn == nil {
		return false
	}
	_ = r.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := r.conn.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// signal sends a signal where it is proven that the pid is that of the server.
func (r running) signal(sig os.Signal) bool {
	if r.pid <= 1 || !r.alive() || !listens(r.conn, r.pid) {
		return false
	}
	process, err := os.FindProcess(r.pid)
	return err == nil && process.Signal(sig) == nil
}

// others counts the clients of prpflow that a server has.
func (p endpoint) others(ctx context.Context) (int, error) {
	rdb := p.probe()
	defer rdb.Close()
	list, err := rdb.ClientList(ctx).Result()
	if err != nil {
		return 0, fmt.Errorf("list the clients of redis-server: %w", err)
	}
	return strings.Count(list, " name=prpflow "), nil
}

func (r running) close() {
	if r.conn != nil {
		_ = r.conn.Close()
	}
}
