package relay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/prpflow/prpflow/tasks"
	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/memstore"
	"github.com/prpflow/prpflow/workflow/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is where a relay sends to. It notes what arrives, and refuses what it
// is told to.
type world struct {
	mu     sync.Mutex
	got    []string
	refuse string
	more   map[string]string // cursor -> next
}

func (w *world) note(what string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse != "" && w.refuse == what {
		return errors.New("refused")
	}
	w.got = append(w.got, what)
	return nil
}

func (w *world) has() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got)
}

func (w *world) Enqueue(_ context.Context, j tasks.Job) error { return w.note("task " + j.ID) }
func (w *world) Remove(_ context.Context, queue, job string) error {
	return w.note("remove " + queue + " " + job)
}
func (w *world) Put(_ context.Context, id, from, to, text, priority string) error {
	return w.note(fmt.Sprintf("message %s %s %s %s %s", id, from, to, text, priority))
}
func (w *world) LookAtDependants(_ context.Context, dep, after string) (string, error) {
	return w.more[after], w.note("look " + dep + " " + after)
}
func (w *world) Acquire(_ context.Context, prp, lease, member string, _ int) error {
	return w.note("acquire " + prp + " " + lease + " " + member)
}
func (w *world) Release(_ context.Context, lease, member string, _ int) error {
	return w.note("release " + lease + " " + member)
}

// commit puts entries into the outbox, as a process of that name.
func commit(t *testing.T, disk *memstore.Disk, worker, prp string, entries ...workflow.OutboxEntry) {
	t.Helper()
	for i := range entries {
		entries[i].PRP = prp
	}
	_, err := disk.Store(worker).Apply(t.Context(), workflow.Change{
		Token: prp, Record: workflow.Record{ID: prp, State: "new", Version: 1}, Outbox: entries,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// unsent says which entries of a PRP are still in the outbox.
func unsent(t *testing.T, s workflow.Outbox, prp string, ids ...string) (left []string) {
	t.Helper()
	var refs []workflow.OutboxRef
	for _, id := range ids {
		refs = append(refs, workflow.OutboxRef{PRP: prp, ID: id})
	}
	is, err := s.Unsent(t.Context(), refs)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		if is[i] {
			left = append(left, id)
		}
	}
	return left
}

func newRelay(t *testing.T, w *world, outbox workflow.Outbox) *relay.Relay {
	t.Helper()
	r, err := relay.New(relay.Config{Outbox: outbox, Engine: w, Broker: w, Inbox: w})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var everything = []workflow.OutboxEntry{
	{ID: "1", Kind: workflow.SendTask, Task: &tasks.Job{ID: "j"}},
	{ID: "2", Kind: workflow.SendMessage, To: "orchestrator", Text: "hello", Urgent: true},
	{ID: "3", Kind: workflow.SendMessage, To: "orchestrator", Text: "bye"},
	{ID: "4", Kind: workflow.SendRemove, Queue: "q", Job: "old"},
	{ID: "5", Kind: workflow.SendAcquire, Lease: "repo", Member: "m"},
	{ID: "6", Kind: workflow.SendRelease, Lease: "repo", Member: "m"},
	{ID: "7", Kind: workflow.SendLook},
	{ID: "8", Kind: workflow.SendTask},
}

var sent = []string{
	"task j", "message 2 engine orchestrator hello high", "message 3 engine orchestrator bye normal", "remove q old",
	"acquire PRP-1 repo m", "release repo m", "look PRP-1 ",
}

func TestEveryKindOfEntryIsSentAndLeavesTheOutbox(t *testing.T) {
	t.Parallel()
	disk, w := memstore.NewDisk(nil), &world{}
	s := disk.Store("me")
	commit(t, disk, "me", "PRP-1", slices.Clone(everything)...)
	mine, err := s.Mine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	newRelay(t, w, s).Send(t.Context(), mine)
	if got := w.has(); !slices.Equal(got, sent) {
		t.Errorf("sent %q", got)
	}
	if left := unsent(t, s, "PRP-1", "1", "2", "3", "4", "5", "6", "7", "8"); len(left) > 0 {
		t.Errorf("left in the outbox: %v", left)
	}
}

func TestWhatCannotBeSentStaysAndIsSentLater(t *testing.T) {
	t.Parallel()
	disk, w := memstore.NewDisk(nil), &world{refuse: "remove q old"}
	s := disk.Store("me")
	commit(t, disk, "me", "PRP-1", slices.Clone(everything)...)
	mine, _ := s.Mine(t.Context())
	r := newRelay(t, w, s)
	r.Send(t.Context(), mine)
	if got := w.has(); len(got) != len(sent)-1 {
		t.Errorf("one that is refused stops others: %q", got)
	}
	seen := r.ResendSeen(t.Context(), nil) // seen for the first time, it may be on its way
	if got := w.has(); len(got) != len(sent)-1 {
		t.Errorf("sent at first sight: %q", got)
	}
	seen = r.ResendSeen(t.Context(), seen)
	if len(seen) != 1 {
		t.Errorf("still to be sent: %v", seen)
	}
	w.refuse = ""
	r.ResendSeen(t.Context(), seen)
	if left := unsent(t, s, "PRP-1", "4"); len(left) > 0 || !slices.Contains(w.has(), "remove q old") {
		t.Errorf("not sent again: %q", w.has())
	}
}

func TestALongListIsLookedAtInChunksBehindOthers(t *testing.T) {
	t.Parallel()
	disk, w := memstore.NewDisk(nil), &world{more: map[string]string{"": "m", "m": "z"}}
	s := disk.Store("relay")
	commit(t, disk, "", "PRP-1", workflow.OutboxEntry{ID: "look", Kind: workflow.SendLook})
	commit(t, disk, "", "PRP-2", workflow.OutboxEntry{ID: "task", Kind: workflow.SendTask, Task: &tasks.Job{ID: "j"}})
	r := newRelay(t, w, s)
	for {
		took, err := r.TakeOne(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if !took {
			break
		}
	}
	if got := w.has(); !slices.Equal(got, []string{"look PRP-1 ", "task j", "look PRP-1 m", "look PRP-1 z"}) {
		t.Errorf("sent %q", got)
	}
}

func TestARelayNeedsAllItsParts(t *testing.T) {
	t.Parallel()
	if _, err := relay.New(relay.Config{}); err == nil {
		t.Error("accepted")
	}
}

func TestALongListKeepsShortIDs(t *testing.T) {
	t.Parallel()
	more, cursor := map[string]string{}, ""
	for n := range 1000 {
		next := fmt.Sprintf("PRP-%d", 1000+n)
		more[cursor], cursor = next, next
	}
	disk := memstore.NewDisk(nil)
	longest := 0
	s := spy{disk.Store("relay"), func(e workflow.OutboxEntry) { longest = max(longest, len(e.ID)) }}
	commit(t, disk, "", "PRP-1", workflow.OutboxEntry{ID: "look", Kind: workflow.SendLook})
	w := &world{more: more}
	r := newRelay(t, w, s)
	for took := true; took; {
		var err error
		if took, err = r.TakeOne(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.has()) != 1001 || longest > 20 {
		t.Errorf("%d looks, the longest id has %d bytes", len(w.has()), longest)
	}
}

// spy sees what is received.
type spy struct {
	workflow.Outbox
	see func(workflow.OutboxEntry)
}

func (s spy) Receive(ctx context.Context, wait time.Duration) (workflow.OutboxEntry, bool, error) {
	e, ok, err := s.Outbox.Receive(ctx, wait)
	s.see(e)
	return e, ok, err
}

func TestWhatCannotBeAcknowledgedIsSentAgain(t *testing.T) {
	t.Parallel()
	disk, w := memstore.NewDisk(nil), &world{}
	s := disk.Store("me")
	commit(t, disk, "me", "PRP-1", workflow.OutboxEntry{ID: "1", Kind: workflow.SendTask, Task: &tasks.Job{ID: "j"}})
	mine, _ := s.Mine(t.Context())
	newRelay(t, w, forgetful{s}).Send(t.Context(), mine)
	r := newRelay(t, w, s)
	r.ResendSeen(t.Context(), r.ResendSeen(t.Context(), nil))
	if got := w.has(); !slices.Equal(got, []string{"task j", "task j"}) {
		t.Errorf("sent %q", got)
	}
	if left := unsent(t, s, "PRP-1", "1"); len(left) > 0 {
		t.Error("it is still to be sent")
	}
}

// forgetful is an outbox whose answers to Ack are lost on the way there.
type forgetful struct{ workflow.Outbox }

func (forgetful) Ack(context.Context, workflow.OutboxEntry) error { return workflow.ErrUnavailable }
