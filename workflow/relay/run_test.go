package relay_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/memstore"
	"github.com/prpflow/prpflow/workflow/relay"
)

// start runs a relay in the bubble of the test; end ends it and waits.
func start(t *testing.T, r *relay.Relay) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	return func() { cancel(); <-done }
}

func TestWhatDeadProcessesLeftIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk, w := memstore.NewDisk(nil), &world{}
		commit(t, disk, "dead", "PRP-1", slices.Clone(everything)...) // it committed, and died before it could send
		dead := disk.Store("also dead")
		commit(t, disk, "", "PRP-2", workflow.OutboxEntry{ID: "taken", Kind: workflow.SendTask, Task: &tasks.Job{ID: "k"}})
		if _, ok, err := dead.Receive(t.Context(), 0); !ok || err != nil {
			t.Fatal(ok, err)
		}
		s := disk.Store("relay")
		end := start(t, newRelay(t, w, s))
		defer end()
		time.Sleep(time.Second)
		if got := w.has(); len(got) != 0 {
			t.Errorf("sent while those who have it may live: %q", got)
		}
		if _, err := s.Reap(t.Context(), []string{"dead", "also dead"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if got, want := w.has(), append(slices.Clone(sent), "task k"); !same(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
	})
}

// same compares without regard to the order.
func same(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func TestAPoisonedEntryBlocksNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk, w := memstore.NewDisk(nil), &world{refuse: "task poison"}
		var said bytes.Buffer
		s := disk.Store("relay")
		r, err := relay.New(relay.Config{Outbox: s, Engine: w, Broker: w, Inbox: w, Log: slog.New(slog.NewTextHandler(&said, nil))})
		if err != nil {
			t.Fatal(err)
		}
		commit(t, disk, "", "PRP-1", workflow.OutboxEntry{ID: "poison", Kind: workflow.SendTask, Task: &tasks.Job{ID: "poison"}})
		commit(t, disk, "", "PRP-2", slices.Clone(everything)...)
		end := start(t, r)
		time.Sleep(10*time.Minute + 30*time.Second)
		if got := w.has(); len(got) != len(sent) {
			t.Errorf("sent %q", got)
		}
		if left, _ := s.InOutbox(t.Context(), "PRP-1"); !left {
			t.Error("what was never sent is gone")
		}
		if !r.Alive() {
			t.Error("one poisoned entry makes the relay look dead")
		}
		end()
		if n := strings.Count(said.String(), "not sent yet"); n < 10 || n > 12 || !strings.Contains(said.String(), "task of PRP-1: refused") {
			t.Errorf("%d warnings in 10 minutes:\n%s", n, said.String())
		}
	})
}

func TestARelayIsAliveAtOnceWithNothingToDo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelay(t, &world{}, memstore.NewDisk(nil).Store("relay"))
		if r.Alive() {
			t.Error("a relay that does not run is alive")
		}
		defer start(t, r)()
		time.Sleep(100 * time.Millisecond)
		if !r.Alive() {
			t.Error("it is not alive while it waits")
		}
		time.Sleep(time.Hour)
		if !r.Alive() {
			t.Error("it is not alive after an hour of nothing")
		}
	})
}

// hanging is a broker that does not answer before its caller gives up.
type hanging struct{ *world }

func (hanging) Enqueue(ctx context.Context, _ tasks.Job) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestARelayThatHangsIsNotAliveAndEndsAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk, w := memstore.NewDisk(nil), &world{}
		s := disk.Store("relay")
		r, err := relay.New(relay.Config{Outbox: s, Engine: w, Broker: hanging{w}, Inbox: w})
		if err != nil {
			t.Fatal(err)
		}
		commit(t, disk, "", "PRP-1", workflow.OutboxEntry{ID: "1", Kind: workflow.SendTask, Task: &tasks.Job{ID: "j"}})
		end := start(t, r)
		time.Sleep(5 * time.Second)
		if !r.Alive() {
			t.Error("a slow broker makes it look dead at once")
		}
		time.Sleep(20 * time.Second)
		if r.Alive() {
			t.Error("it hangs and says that it is alive")
		}
		end()
		if left, _ := s.InOutbox(t.Context(), "PRP-1"); !left {
			t.Error("what was not sent is gone")
		}
	})
}

func TestRunSendsWhatOthersLeftUntilItEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk, w := memstore.NewDisk(nil), &world{refuse: "task j"}
		r := newRelay(t, w, disk.Store("relay"))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx) }()
		commit(t, disk, "", "PRP-1", workflow.OutboxEntry{ID: "1", Kind: workflow.SendTask, Task: &tasks.Job{ID: "j"}})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !r.Alive() {
			t.Error("a relay that takes is not alive")
		}
		w.mu.Lock()
		w.refuse = ""
		w.mu.Unlock()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := w.has(); !slices.Equal(got, []string{"task j"}) {
			t.Errorf("sent %q", got)
		}
		cancel()
		<-done
		time.Sleep(time.Minute)
		if r.Alive() {
			t.Error("a relay that has ended is alive")
		}
	})
}

// broken is an outbox that answers nothing.
type broken struct{ workflow.Outbox }

func (broken) Receive(context.Context, time.Duration) (workflow.OutboxEntry, bool, error) {
	return workflow.OutboxEntry{}, false, workflow.ErrUnavailable
}
func (broken) Mine(context.Context) ([]workflow.OutboxEntry, error) {
	return nil, workflow.ErrUnavailable
}

func TestARelayWithoutAnOutboxIsNotAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRelay(t, &world{}, broken{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r.Run(ctx)
		if r.Alive() {
			t.Error("it says that it is alive")
		}
	})
}
