//go:build faults

package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prpflow/prpflow/agents"
	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
)

// PRPFLOW_FAULT=POINT:N kills the process with SIGKILL when it passes the point
// for the N-th time. Points are CALL.before and CALL.after.
var fault struct {
	point string
	nth   int64
	seen  atomic.Int64
}

// readFault is asked for late: the variable is set in main.
var readFault = sync.OnceFunc(func() {
	point, nth, _ := strings.Cut(os.Getenv("PRPFLOW_FAULT"), ":")
	fault.point = point
	fault.nth, _ = strconv.ParseInt(nth, 10, 64)
})

func at(point string) {
	if readFault(); point == fault.point && fault.seen.Add(1) == fault.nth {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing happens after one's death
	}
}

func around[T any](call string, f func() (T, error)) (T, error) {
	at(call + ".before")
	v, err := f()
	if err == nil {
		at(call + ".after")
	}
	return v, err
}

func about(call string, f func() error) error {
	_, err := around(call, func() (struct{}, error) { return struct{}{}, f() })
	return err
}

func seamStore(s workflow.Store) workflow.Store          { return faultyStore{s} }
func seamBroker(b workflow.Broker) workflow.Broker       { return faultyBroker{b} }
func seamRegistry(r workflow.Registry) workflow.Registry { return faultyRegistry{r} }
func seamEngine(e agents.Engine) agents.Engine           { return faultyEngine{e} }

type faultyStore struct{ workflow.Store }

func (s faultyStore) Apply(ctx context.Context, c workflow.Change) (workflow.Record, error) {
	return around("apply", func() (workflow.Record, error) { return s.Store.Apply(ctx, c) })
}

func (s faultyStore) Receive(ctx context.Context, wait time.Duration) (e workflow.OutboxEntry, ok bool, err error) {
	if e, ok, err = s.Store.Receive(ctx, wait); ok {
		at("receive.after")
	}
	return e, ok, err
}

func (s faultyStore) Ack(ctx context.Context, e workflow.OutboxEntry) error {
	return about("ack", func() error { return s.Store.Ack(ctx, e) })
}

func (s faultyStore) AcquireLease(ctx context.Context, lease, member string, capacity int) ([]string, error) {
	return around("acquire", func() ([]string, error) { return s.Store.AcquireLease(ctx, lease, member, capacity) })
}

func (s faultyStore) ReleaseLease(ctx context.Context, lease, member string, capacity int) ([]string, error) {
	return around("release", func() ([]string, error) { return s.Store.ReleaseLease(ctx, lease, member, capacity) })
}

func (s faultyStore) Dependants(ctx context.Context, dep, after string, limit int) ([]string, error) {
	return around("dependants", func() ([]string, error) { return s.Store.Dependants(ctx, dep, after, limit) })
}

func (s faultyStore) Reap(ctx context.Context, dead []string) (n int, err error) {
	at("reap.before")
	if n, err = s.Store.Reap(ctx, dead); n > 0 {
		at("reap.after")
	}
	return n, err
}

type faultyBroker struct{ workflow.Broker }

func (b faultyBroker) Enqueue(ctx context.Context, j tasks.Job) error {
	return about("enqueue", func() error { return b.Broker.Enqueue(ctx, j) })
}

func (b faultyBroker) Remove(ctx context.Context, queue, job string) error {
	return about("remove", func() error { return b.Broker.Remove(ctx, queue, job) })
}

type faultyRegistry struct{ workflow.Registry }

func (r faultyRegistry) Forget(ctx context.Context, p tasks.Process) error {
	return about("forget", func() error { return r.Registry.Forget(ctx, p) })
}

type faultyEngine struct{ agents.Engine }

func (e faultyEngine) Claim(ctx context.Context, c tasks.Claim) (tasks.Assignment, error) {
	return around("claim", func() (tasks.Assignment, error) { return e.Engine.Claim(ctx, c) })
}

func (e faultyEngine) Deliver(ctx context.Context, d tasks.Delivery) (tasks.Verdict, error) {
	return around("deliver", func() (tasks.Verdict, error) { return e.Engine.Deliver(ctx, d) })
}

func (e faultyEngine) HandBack(ctx context.Context, run tasks.Run, reason string) error {
	return about("handback", func() error { return e.Engine.HandBack(ctx, run, reason) })
}
