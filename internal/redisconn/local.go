package redisconn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// ErrNoServer says that there is no redis-server to start.
var ErrNoServer = errors.New("there is no redis-server on PATH: install it (apt install redis-server, brew install redis), " +
	"name a running one with --redis, or use --embedded to keep everything in memory")

// The folder of a local server, and what is in it beside its data.
const (
	localFolder = ".prpflow"
	urlFile     = "redis.url"
	logFile     = "redis.log"
	lockFile    = "redis.lock"  // whoever starts or ends the server has it alone
	usersFile   = "redis.users" // whoever uses the server shares it
	aliveFile   = "redis.alive" // the server itself has it
)

// stopTimeout is how long a local server may take to write its last data.
const stopTimeout = 10 * time.Second

// LocalServer is a redis-server beside this process, with its data in a folder.
// Several processes may use it, and each starts it again when it dies; the last
// one to close it ends it. It outlives a process that is killed, and the next one
// finds it there.
type LocalServer struct {
	// URL is its address: a unix socket.
	URL string

	data   string
	log    *slog.Logger
	users  *fileLock
	server running
	child  *child // nil where another process started it

	stop context.CancelFunc
	done chan struct{} // closed when this process uses it no more
	once sync.Once
	err  error
}

// StartLocal gives the server whose data is in dir/.prpflow: the one that runs
// there already, else a new one. It writes its address to .prpflow/redis.url. It
// returns when the server has loaded its data; log hears of its deaths.
func StartLocal(ctx context.Context, dir string, log *slog.Logger) (*LocalServer, error) {
	data, err := dataFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	silence()
	s := &LocalServer{data: data, log: log, done: make(chan struct{})}
	if err := s.enter(ctx); err != nil {
		return nil, fmt.Errorf("start redis-server: %w", err)
	}
	base := context.WithoutCancel(ctx) // the server is needed for as long as it takes to end in order
	use, stop := context.WithCancel(base)
	s.stop = stop
	go func() {
		defer close(s.done)
		s.supervise(use)
		s.err = s.leave(base)
	}()
	return s, nil
}

// Close ends the server where nobody else uses it, after it has written its data.
// Twice is once.
func (s *LocalServer) Close() error {
	if s == nil {
		return nil
	}
	s.once.Do(s.stop)
	<-s.done
	return s.err
}

func (s *LocalServer) file(name string) string { return filepath.Join(s.data, name) }

// enter makes this process a user of the server, and starts it where nobody has.
func (s *LocalServer) enter(ctx context.Context) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if s.users, err = await(ctx, s.file(usersFile), (*fileLock).shared); err != nil {
		return fmt.Errorf("lock %s: %w", s.file(usersFile), err)
	}
	if err = s.connect(ctx); err == nil {
		s.URL = s.server.url()
		if err = writeURL(s.data, s.URL); err == nil {
			return nil
		}
		if !s.child.ended() {
			s.child.kill()
		}
	}
	s.server.close()
	s.users.release()
	return err
}

// lock keeps all others from starting and ending the server.
func (s *LocalServer) lock(ctx context.Context) (unlock func(), err error) {
	l, err := await(ctx, s.file(lockFile), (*fileLock).exclusive)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", s.file(lockFile), err)
	}
	return l.release, nil
}

// connect finds the server that runs, or starts one. What redis.url names may be
// the server of another folder from which this one was copied.
func (s *LocalServer) connect(ctx context.Context) error {
	address, err := readAddress(s.data)
	if err != nil {
		return err
	}
	socket, err := socketPath(s.data, socketBases()...)
	if err != nil {
		return err
	}
	if written, ok := local(address); ok && written.addr != socket {
		switch found, err := s.look(ctx, written); {
		case found || err != nil:
			return err
		case written.network == "unix" && belongs(written.addr, s.data):
			socket = written.addr // those who use it already start it again there
		}
	}
	if found, err := s.look(ctx, endpoint{"unix", socket}); found || err != nil {
		return err
	}
	s.child, s.server, err = launch(ctx, s.data, socket)
	return err
}

// look is true where the server of this folder runs at an endpoint. It waits for one
// that loads its data or hangs. What else answers there is left alone.
func (s *LocalServer) look(ctx context.Context, at endpoint) (bool, error) {
	notice := time.AfterFunc(2*time.Second, func() { s.log.Warn("waiting for redis-server", "at", at.addr) })
	defer notice.Stop()
	r, err := at.ask(ctx)
	switch {
	case errors.Is(err, errEnded):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("ask the redis-server at %s: %w", at.addr, err)
	case r.data != s.data:
		r.close()
		return false, nil
	}
	s.server = r
	return true, nil
}

// supervise starts the server again each time that it dies.
func (s *LocalServer) supervise(ctx context.Context) {
	for tries := 0; ; {
		began := time.Now()
		if !s.server.ended(ctx) {
			return
		}
		if time.Since(began) > 2*lastWait {
			tries = 0
		}
		if s.child == nil {
			reap(s.server.pid)
		}
		s.server.close()
		for told, failed := false, false; ; {
			tries++
			if pause(ctx, Backoff(tries)) != nil {
				return
			}
			err := s.again(ctx, &told)
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return
			}
			if !failed {
				failed = true
				s.log.Error("redis-server cannot be started again, trying on", "err", err)
			}
		}
	}
}

// again looks whether another user has started the server, and else does so. A
// server at a port is one of an earlier version: clients keep its address, so
// that nothing can take its place.
func (s *LocalServer) again(ctx context.Context, told *bool) error {
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if found, err := s.look(ctx, s.server.endpoint); found || err != nil {
		if s.child.ended() {
			s.child = nil // it is another one now
		}
		return err
	}
	if s.server.network != "unix" {
		return errors.New("it was started by an earlier version: restart prpflow serve")
	}
	if !*told {
		*told = true
		s.log.Warn("redis-server has ended, starting it again", "data", s.data)
	}
	c, r, err := launch(ctx, s.data, s.server.addr)
	if err != nil {
		return err
	}
	s.child, s.server = c, r
	return nil
}

// leave ends the server where nobody else uses it.
func (s *LocalServer) leave(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	defer s.users.release()
	defer func() { s.server.close() }()
	unlock, err := s.lock(limited)
	switch {
	case errors.Is(err, os.ErrNotExist): // the folder was removed: nobody can come any more
		unlock = func() {}
	case err != nil:
		return nil // somebody waits for the server to start: he ends it
	}
	defer unlock()
	alone, err := s.users.exclusive()
	if err != nil || !alone {
		return err
	}
	return s.end(ctx)
}

// end asks the server to write its data and to end, and waits until it has.
func (s *LocalServer) end(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	if s.child.ended() {
		if ask, err := s.tell(limited); !ask || err != nil {
			return err
		}
	} else {
		_ = s.child.cmd.Process.Signal(syscall.SIGTERM) // fails only where it has ended already
	}
	if s.gone(limited) {
		if folder := filepath.Dir(s.server.addr); s.server.network == "unix" && folder != s.data {
			_ = os.Remove(folder) // it is ours alone; one that is not empty stays
		}
		return nil
	}
	killed := s.child.ended() && s.server.signal(os.Kill)
	if !s.child.ended() {
		killed = s.child.cmd.Process.Kill() == nil
	}
	last, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if !killed || !s.gone(last) {
		return fmt.Errorf("the redis-server of %s did not end within %s and still runs", s.data, stopTimeout)
	}
	return fmt.Errorf("redis-server did not end within %s and was killed", stopTimeout)
}

// tell sends SHUTDOWN to a server that another process started. It is false where
// none runs, or others still use it.
func (s *LocalServer) tell(ctx context.Context) (bool, error) {
	limited, cancel := context.WithTimeout(ctx, stopTimeout/2)
	defer cancel()
	r, err := s.server.ask(limited)
	switch {
	case err == nil && r.data != s.data:
		r.close()
		return false, nil
	case err != nil: // it hangs, or its socket was removed
		return s.server.signal(syscall.SIGTERM) || s.server.alive(), nil
	}
	s.server.close()
	s.server = r
	if r.network != "unix" { // those of an earlier version do not share the lock
		if n, err := r.others(ctx); err != nil || n > 0 {
			return false, err
		}
	}
	rdb := r.probe()
	defer rdb.Close()
	_ = rdb.Shutdown(ctx).Err() // whether it does is seen by its end
	return true, nil
}

// gone waits until the server has ended. It is false where ctx ends first.
func (s *LocalServer) gone(ctx context.Context) bool {
	for {
		if s.child.ended() && !s.server.alive() && s.quiet() {
			if s.child == nil {
				reap(s.server.pid)
			}
			return true
		}
		if pause(ctx, firstWait/2) != nil {
			return false
		}
	}
}

// quiet reports whether no server has the folder open.
func (s *LocalServer) quiet() bool {
	l, err := openLock(s.file(aliveFile))
	if err != nil {
		return true // the folder is gone, too
	}
	defer l.release()
	free, err := l.exclusive()
	return free || err != nil
}

// writeURL puts the address there whole: a reader never sees half of it.
func writeURL(data, address string) error {
	file := filepath.Join(data, urlFile)
	_ = os.Remove(file + ".new") // whatever is there: it may be a pipe
	if err := os.WriteFile(file+".new", []byte(address+"\n"), 0o600); err != nil {
		return fmt.Errorf("write the address of redis-server: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("write the address of redis-server: %w", err)
	}
	return nil
}
