package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/tasks"
)

// abortAfter is what Asynq itself grants a handler when its server is shut
// down. Shutdown has waited for the handlers before that.
const abortAfter = time.Second

// ServeConfig of a Server. Queues and Handle must be set.
type ServeConfig struct {
	// Queues are served in strict priority, the first before the second.
	// EnsureQueues makes them known to asynqmon.
	Queues []string

	// Concurrency bounds how many handlers run at once. 0 is 1.
	Concurrency int

	// Handle runs an order. What it answers decides about the task:
	//
	//	nil                     it is done
	//	tasks.ErrStale          it is forgotten
	//	tasks.RetryAfterError   it is handed out again after that delay, which
	//	                        no statistics count as a failure
	//	tasks.PermanentError    it is archived
	//	anything else, a panic  it is handed out again after 5 s
	//
	// Delays are exact to about 5 s, and never shorter than asked for.
	//
	// Asynq's word never ends ctx: neither a lost lease nor Redis away says
	// that a run must stop. It ends with the cause tasks.ErrCancelled when a
	// person cancels the task in asynqmon, and with the cause ErrShutdown when
	// the time that Shutdown was given is over. The slot stays taken until
	// Handle returns, in every case.
	//
	// After a cancel Asynq hands the task out again, unless Handle answers nil
	// or tasks.ErrStale; the delay of a tasks.RetryAfterError is kept.
	Handle func(ctx context.Context, o tasks.Order) error
}

// lastReply is more than a command may wait for its reply.
const lastReply = 10 * time.Second

// within says whether done is closed before the time is over.
func within(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// ErrShutdown is the cause of the end of a handler's context whose server was
// shut down before it was ready.
var ErrShutdown = errors.New("the server is shut down")

// Server hands out the tasks of some queues, those of one agent.
type Server struct {
	asynq  *asynq.Server
	client redis.UniversalClient
	gate   *gate
	waker  *waker
	desk   *desk

	stop  sync.Once
	close sync.Once
	left  error // what Shutdown answers
}

// Serve starts a server. It does not wait for Redis.
func (b *Broker) Serve(cfg ServeConfig) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("broker: serve: %w", err)
	}
	priority := make(map[string]int, len(cfg.Queues))
	for i, q := range cfg.Queues {
		priority[q] = len(cfg.Queues) - i
	}
	client, err := b.dial(0)
	if err != nil {
		return nil, fmt.Errorf("broker: serve: %w", err)
	}
	waits, err := b.dial(len(cfg.Queues) + 1)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("broker: serve: %w", err), client.Close())
	}
	s := &Server{
		client: client,
		gate:   newGate(),
		waker:  newWaker(cfg.Queues, waits, &b.slowed, b.asynqLog),
		desk:   newDesk(b, cfg.Handle),
	}
	s.client.AddHook(s.gate)
	s.client.AddHook(s.waker)
	s.asynq = asynq.NewServerFromRedisClient(s.client, asynq.Config{
		Concurrency:       max(cfg.Concurrency, 1),
		Queues:            priority,
		StrictPriority:    true,
		TaskCheckInterval: time.Nanosecond, // the waker is the only one who waits
		ShutdownTimeout:   abortAfter,
		ErrorHandler:      asynq.ErrorHandlerFunc(s.desk.ended),
		RetryDelayFunc:    s.desk.delay,
		IsFailure:         isFailure,
		Logger:            b.asynqLog,
	})
	s.waker.start()
	if err := s.asynq.Start(asynq.HandlerFunc(s.desk.process)); err != nil {
		s.waker.close()
		_ = s.client.Close()
		return nil, fmt.Errorf("broker: serve: %w", err)
	}
	return s, nil
}

func (cfg ServeConfig) check() error {
	if cfg.Handle == nil {
		return errors.New("no handler is given")
	}
	if len(cfg.Queues) == 0 {
		return errors.New("no queue is given")
	}
	for i, q := range cfg.Queues {
		if err := checkQueue(q); err != nil {
			return err
		}
		if slices.Contains(cfg.Queues[:i], q) {
			return fmt.Errorf("queue %s is given twice", q)
		}
	}
	return nil
}

// Running says how many handlers run.
func (s *Server) Running() int { return s.desk.running() }

// Stop takes no task from now on; handlers go on. Shutdown must follow. It may
// be called more than once.
func (s *Server) Stop() {
	s.stop.Do(func() {
		s.waker.close()
		s.asynq.Stop()
	})
}

// Shutdown stops the server and waits for its handlers until ctx ends. Then it
// ends their contexts, waits one second more, puts the tasks of those that have
// not returned back at the head of their queues, and says so.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Stop()
	s.close.Do(func() { s.left = s.shutdown(ctx) })
	return s.left
}

func (s *Server) shutdown(ctx context.Context) error {
	s.desk.close(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.asynq.Shutdown()
	}()
	// Asynq's duties wait for Redis with no bound; a closed client would set them free,
	// and its subscriber panics over one.
	within(done, abortAfter+2*time.Second)
	s.gate.close()
	if !within(done, lastReply) {
		return errors.New("broker: Redis does not answer, the server's connections are left to the end of the process")
	}
	err := s.client.Close()
	if n := s.desk.running(); n > 0 {
		return fmt.Errorf("broker: %d handlers did not return in time, their tasks are handed out again", n)
	}
	if err != nil {
		return fmt.Errorf("broker: close the server's connections: %w", err)
	}
	return nil
}
