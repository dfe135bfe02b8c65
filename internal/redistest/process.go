package redistest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/mortal"
)

// patience is how long a server may take to answer on a busy machine.
const patience = 20 * time.Second

// process is one running redis-server.
type process struct {
	addr string
	cmd  *exec.Cmd
	done chan struct{} // closed once it has ended
	log  *bytes.Buffer // read only after done
}

// launch starts a redis-server and returns once it answers.
func launch(ctx context.Context, dir string, port int, args ...string) (*process, error) {
	args = append([]string{"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir,
		"--save", "", "--daemonize", "no"}, args...)
	p := &process{
		addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		cmd:  exec.Command("redis-server", args...), done: make(chan struct{}), log: &bytes.Buffer{},
	}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := mortal.Start(p.cmd); err != nil {
		return nil, fmt.Errorf("redistest: start redis-server: %w", err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	if err := p.await(ctx, "PING", func(ctx context.Context, rdb *redis.Client) bool { return rdb.Ping(ctx).Err() == nil }); err != nil {
		p.kill()
		return nil, err
	}
	return p, nil
}

// await asks until the server's answer is the wanted one.
func (p *process) await(ctx context.Context, what string, wanted func(context.Context, *redis.Client) bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rdb := redis.NewClient(&redis.Options{Addr: p.addr, MaxRetries: -1, DialerRetries: 1})
	defer rdb.Close()
	for !wanted(ctx, rdb) {
		select {
		case <-p.done:
			return fmt.Errorf("redistest: redis-server on %s ended by itself:\n%s", p.addr, p.log)
		case <-ctx.Done():
			return fmt.Errorf("redistest: redis-server on %s: no good answer to %s: %w", p.addr, what, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// kill ends it like a crash, and returns once it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// freePort finds a port that is free, and whose cluster bus port (10000 above)
// is free too. Another process may still take it first: callers try again.
func freePort() (int, error) {
	for range 50 {
		port, err := listenOnce(0)
		if err != nil {
			return 0, err
		}
		if port+10000 > 65535 {
			continue
		}
		if _, err := listenOnce(port + 10000); err == nil {
			return port, nil
		}
	}
	return 0, errors.New("redistest: no free port with a free port 10000 above it")
}

func listenOnce(port int) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return 0, fmt.Errorf("redistest: find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// launchAnywhere starts a redis-server on a free port, in a folder of its own.
func launchAnywhere(ctx context.Context, args ...string) (p *process, dir string, err error) {
	for range 5 {
		var port int
		if port, err = freePort(); err != nil {
			return nil, "", err
		}
		if dir, err = os.MkdirTemp("", "prpflow-redis-"); err != nil {
			return nil, "", fmt.Errorf("redistest: %w", err)
		}
		if p, err = launch(ctx, dir, port, args...); err == nil {
			return p, dir, nil
		}
		_ = os.RemoveAll(dir)
	}
	return nil, "", err
}
