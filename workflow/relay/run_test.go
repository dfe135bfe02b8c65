package relay_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
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
		if left := unsent(t, s, "PRP-1", "poison"); len(left) == 0 {
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

// counted is an outbox that counts what a relay asks of it.
type counted struct {
	workflow.Outbox
	received, parked *atomic.Int64
}

func (c counted) Receive(ctx context.Context, wait time.Duration) (workflow.OutboxEntry, bool, error) {
	e, ok, err := c.Outbox.Receive(ctx, wait)
	if ok {
		c.received.Add(1)
	}
	return e, ok, err
}

func (c counted) Park(ctx context.Context, e workflow.OutboxEntry) error {
	c.parked.Add(1)
	return c.Outbox.Park(ctx, e)
}

func TestAnEntryOfAnUnknownKindIsLeftForWhoKnowsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk, w := memstore.NewDisk(nil), &world{}
		var said bytes.Buffer
		old := counted{disk.Store("old"), &atomic.Int64{}, &atomic.Int64{}}
		r, err := relay.New(relay.Config{Outbox: old, Engine: w, Broker: w, Inbox: w, Log: slog.New(slog.NewTextHandler(&said, nil))})
		if err != nil {
			t.Fatal(err)
		}
		future := []workflow.OutboxEntry{{ID: "f1", Kind: "of the future"}, {ID: "f2", Kind: "of the future"}, {ID: "f3", Kind: "unheard of"}}
		commit(t, disk, "", "PRP-1", future...)
		commit(t, disk, "", "PRP-2", slices.Clone(everything)...)
		end := start(t, r)
		time.Sleep(10 * time.Minute)
		if got := w.has(); len(got) != len(sent) {
			t.Errorf("sent %q", got)
		}
		if left := unsent(t, old, "PRP-1", "f1", "f2", "f3"); len(left) != 3 {
			t.Errorf("left for who knows them: %q", left)
		}
		if n, m := old.received.Load(), old.parked.Load(); n != int64(len(everything)+3) || m != 3 {
			t.Errorf("in ten minutes %d were received and %d put aside", n, m)
		}
		if n := strings.Count(said.String(), "unknown kind"); n != 2 {
			t.Errorf("it was told %d times:\n%s", n, said.String())
		}

		newer := newRelay(t, w, disk.Store("new"))
		newer.Teach("of the future", func(_ context.Context, e workflow.OutboxEntry) error { return w.note("future " + e.ID) })
		endNewer := start(t, newer)
		time.Sleep(10 * time.Second)
		if got := w.has()[len(sent):]; !slices.Equal(got, []string{"future f1", "future f2"}) {
			t.Errorf("ten seconds after the new one came: %q", got)
		}
		commit(t, disk, "", "PRP-3", workflow.OutboxEntry{ID: "f4", Kind: "of the future"}) // whoever takes it
		time.Sleep(10 * time.Second)
		if got := w.has()[len(sent):]; !slices.Equal(got, []string{"future f1", "future f2", "future f4"}) {
			t.Errorf("with both of them: %q", got)
		}
		if left := unsent(t, old, "PRP-1", "f1", "f2", "f3"); !slices.Equal(left, []string{"f3"}) {
			t.Errorf("left for who knows them: %q", left)
		}
		endNewer()
		end()
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
		if left := unsent(t, s, "PRP-1", "1"); len(left) == 0 {
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
func (broken) Adopt(context.Context, []string) error { return workflow.ErrUnavailable }
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
