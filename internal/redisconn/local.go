package redisconn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrNoServer says that there is no redis-server to start.
var ErrNoServer = errors.New("there is no redis-server on PATH: install it (apt install redis-server, brew install redis), " +
	"name a running one with --redis, or use --embedded to keep everything in memory")

// The folder of a local server, and what lies in it beside its data.
const (
	localFolder = ".prpflow"
	urlFile     = "redis.url"
	logFile     = "redis.log"
	lockFile    = "redis.lock"
)

// stopTimeout is how long a local server may take to write its last data.
const stopTimeout = 10 * time.Second

// LocalServer is a redis-server beside this process, with its data in a folder.
// It lives on when this process is killed, and the next one finds it there.
type LocalServer struct {
	// URL is its address, on 127.0.0.1.
	URL string
	// Started is true where this process started it; then Close ends it.
	Started bool

	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	once sync.Once
	err  error
}

// Find looks for the address of a local server: .prpflow/redis.url in dir or the
// nearest parent that has one. Both answers are "" where there is none.
func Find(dir string) (address, file string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", "", fmt.Errorf("find %s: %w", filepath.Join(localFolder, urlFile), err)
	}
	for {
		file = filepath.Join(dir, localFolder, urlFile)
		text, err := os.ReadFile(file)
		if address = strings.TrimSpace(string(text)); err == nil && address != "" {
			return address, file, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", "", nil
		}
		dir = parent
	}
}

// StartLocal gives the server whose data lies in dir/.prpflow: the one that runs
// there already, else a new one. It writes its address to .prpflow/redis.url.
func StartLocal(ctx context.Context, dir string) (*LocalServer, error) {
	data, err := filepath.Abs(filepath.Join(dir, localFolder))
	if err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	// The server names its folder without links; so must we, to know it again.
	if data, err = filepath.EvalSymlinks(data); err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	silence()
	unlock, err := lock(ctx, filepath.Join(data, lockFile)) // two servers on one folder would spoil it
	if err != nil {
		return nil, fmt.Errorf("start redis-server: lock %s: %w", data, err)
	}
	defer unlock()

	before := readPort(data)
	if before != 0 {
		if reused, err := reuse(ctx, data, before); reused || err != nil {
			return &LocalServer{URL: localURL(before)}, err
		}
	}
	return start(ctx, data, before)
}

// Close ends a server that this process started, after it has written its data;
// one that was running before stays. Twice is once.
func (s *LocalServer) Close() error {
	if s == nil || !s.Started {
		return nil
	}
	s.once.Do(func() {
		_ = s.cmd.Process.Signal(os.Interrupt) // fails only where it has ended already
		timer := time.NewTimer(stopTimeout)
		defer timer.Stop()
		select {
		case <-s.done:
		case <-timer.C:
			_ = s.cmd.Process.Kill()
			<-s.done
			s.err = fmt.Errorf("redis-server did not end within %s and was killed", stopTimeout)
		}
	})
	return s.err
}

// reuse asks whether the server of this folder runs at the port; another program
// may have taken the port since. While it loads its data it is waited for.
func reuse(ctx context.Context, data string, port int) (bool, error) {
	rdb := probe(port)
	defer rdb.Close()
	for {
		folder, err := rdb.ConfigGet(ctx, "dir").Result()
		switch {
		case err == nil:
			return folder["dir"] == data, nil
		case ctx.Err() != nil:
			return false, ctx.Err()
		case !strings.HasPrefix(err.Error(), "LOADING "):
			return false, nil
		}
		if err := pause(ctx, firstWait); err != nil {
			return false, err
		}
	}
}

// start runs a new server, on the port of the last one where that is free.
func start(ctx context.Context, data string, before int) (*LocalServer, error) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, ErrNoServer
	}
	for try := 1; ; try++ {
		port, err := freePort(before)
		if err != nil {
			return nil, fmt.Errorf("start redis-server: %w", err)
		}
		s, err := launch(ctx, binary, data, port)
		switch {
		case err == nil:
			if err := writeURL(data, s.URL); err != nil {
				return nil, errors.Join(err, s.Close())
			}
			return s, nil
		case try == 3 || ctx.Err() != nil: // else somebody may have taken the port before it could
			return nil, err
		}
		before = 0
	}
}

func launch(ctx context.Context, binary, data string, port int) (*LocalServer, error) {
	cmd := exec.Command(binary, //nolint:noctx // it outlives the context that started it
		"--bind", "127.0.0.1", "--port", strconv.Itoa(port), "--dir", data, "--daemonize", "no",
		"--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
		"--maxmemory-policy", "noeviction", "--logfile", filepath.Join(data, logFile))
	ownSession(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	s := &LocalServer{URL: localURL(port), Started: true, cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(s.done)
	}()
	if err := s.awaitReady(ctx, data, port); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// awaitReady returns once the server has loaded its data and serves it.
func (s *LocalServer) awaitReady(ctx context.Context, data string, port int) error {
	rdb := probe(port)
	defer rdb.Close()
	for {
		if err := rdb.Ping(ctx).Err(); err == nil {
			// It answers: but is it ours, or did another one take the port?
			if ours, err := reuse(ctx, data, port); ours || err != nil {
				return err
			}
		}
		timer := time.NewTimer(firstWait / 2)
		select {
		case <-s.done:
			timer.Stop()
			return fmt.Errorf("redis-server ended at once: %s", lastLine(filepath.Join(data, logFile)))
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("wait for redis-server: %w", ctx.Err())
		case <-timer.C:
		}
	}
}

// probe is a client that gives up at once.
func probe(port int) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), PoolSize: 1,
		MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Second, ReadTimeout: time.Second, Protocol: 2,
	})
}

func localURL(port int) string { return "redis://127.0.0.1:" + strconv.Itoa(port) }

// readPort is the port of the folder's last server, 0 if there was none here.
func readPort(data string) int {
	text, err := os.ReadFile(filepath.Join(data, urlFile))
	if err != nil {
		return 0
	}
	address, err := url.Parse(strings.TrimSpace(string(text)))
	if err != nil || address.Hostname() != "127.0.0.1" {
		return 0
	}
	port, _ := strconv.Atoi(address.Port())
	return port
}

// writeURL puts the address there whole: a reader never sees half of it.
func writeURL(data, address string) error {
	file := filepath.Join(data, urlFile)
	if err := os.WriteFile(file+".new", []byte(address+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the address of redis-server: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("write the address of redis-server: %w", err)
	}
	return nil
}

// freePort prefers the wanted one. It never gives 6379, which belongs to whoever
// installed a Redis for the whole machine.
func freePort(wanted int) (int, error) {
	for {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(wanted)))
		if err != nil && wanted != 0 {
			wanted = 0
			continue
		}
		if err != nil {
			return 0, err
		}
		port := l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			return 0, err
		}
		if port != 6379 {
			return port, nil
		}
		wanted = 0
	}
}

func lastLine(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "it left no log"
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
