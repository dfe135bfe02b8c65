package redisconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// child is a redis-server that this process started.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and is reaped
}

// launch starts a server on a data folder and waits until it serves.
func launch(ctx context.Context, data, socket string) (*child, running, error) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, running{}, ErrNoServer
	}
	if err := private(filepath.Dir(socket)); err != nil {
		return nil, running{}, err
	}
	alone, err := sole(ctx, data)
	if err != nil {
		return nil, running{}, err
	}
	cmd := exec.Command(binary, //nolint:noctx // it outlives the context that started it
		"--port", "0", "--unixsocket", socket, "--unixsocketperm", "600", "--dir", data, "--daemonize", "no",
		"--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
		"--maxmemory-policy", "noeviction", "--logfile", filepath.Join(data, logFile))
	ownSession(cmd)
	inherit(cmd, alone.file) // so the lock is held until the server, not we, have ended
	err = owning(func() (int, error) {
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		return cmd.Process.Pid, nil
	})
	_ = alone.file.Close()
	if err != nil {
		return nil, running{}, err
	}
	c := &child{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		disown(cmd.Process.Pid)
		close(c.done)
	}()
	r, err := c.ready(ctx, data, endpoint{"unix", socket})
	if err != nil {
		c.kill()
		return nil, running{}, err
	}
	return c, r, nil
}

// sole takes the lock that a server holds while it has the folder open. A second
// one on the same folder would spoil the data of both.
func sole(ctx context.Context, data string) (*fileLock, error) {
	limited, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	l, err := await(limited, filepath.Join(data, aliveFile), (*fileLock).exclusive)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, fmt.Errorf("another redis-server has its data in %s and does not listen at its socket: end it first", data)
	}
	return l, err
}

// ready returns once the server has loaded its data and serves it.
func (c *child) ready(ctx context.Context, data string, at endpoint) (running, error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-c.done:
			cancel()
		case <-waiting.Done():
		}
	}()
	for {
		r, err := at.ask(waiting)
		switch {
		case err == nil && r.data == data:
			return r, nil
		case err == nil:
			r.close()
			return running{}, fmt.Errorf("%s is the socket of another redis-server, whose data is in %s", at.addr, r.data)
		case !errors.Is(err, errEnded) && waiting.Err() == nil:
			return running{}, err
		case waiting.Err() == nil:
			_ = pause(waiting, firstWait/2) // why it ended early is asked next
		}
		switch {
		case ctx.Err() != nil:
			return running{}, fmt.Errorf("wait for redis-server: %w", ctx.Err())
		case c.ended():
			return running{}, fmt.Errorf("redis-server ended at once: %s", lastLine(filepath.Join(data, logFile)))
		}
	}
}

func (c *child) ended() bool {
	if c == nil {
		return true
	}
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// kill ends it in order, or after stopTimeout at once.
func (c *child) kill() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // fails only where it has ended already
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-timer.C:
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}

// lastLine is the last line of a log, of which only the end is read.
func lastLine(file string) string {
	const most = 4096
	f, err := os.Open(file)
	if err != nil {
		return "it left no log"
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		_, _ = f.Seek(-most, io.SeekEnd) // where this fails, more is read
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return "its log cannot be read"
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
