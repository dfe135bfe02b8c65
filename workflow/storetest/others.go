package storetest

import (
	"testing"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

var otherPromises = []promise{
	{"ALeaseGoesRoundInTheOrderOfAsking", func(t *testing.T, w *world) {
		lease := w.id("repo")
		owner := func(got string, err error) string { w.no(err); return got }
		for _, m := range []string{"a:1", "b:1", "a:1", "c:1"} {
			if got := owner(w.AcquireLease(w.ctx, lease, m)); got != "a:1" {
				t.Fatalf("%s asked, %q owns it", m, got)
			}
		}
		if got := owner(w.ReleaseLease(w.ctx, lease, "b:1")); got != "a:1" {
			t.Errorf("one who waits has left, %q owns it", got)
		}
		if got := owner(w.ReleaseLease(w.ctx, lease, "a:1")); got != "c:1" {
			t.Errorf("the owner has left, %q owns it", got)
		}
		if got := owner(w.ReleaseLease(w.ctx, lease, "a:1")); got != "c:1" {
			t.Errorf("left twice, %q owns it", got)
		}
		if got := owner(w.ReleaseLease(w.ctx, lease, "c:1")); got != "" {
			t.Errorf("nobody is left, %q owns it", got)
		}
		if got := owner(w.AcquireLease(w.ctx, w.id("other"), "d:1")); got != "d:1" {
			t.Errorf("another lease belongs to %q", got)
		}
	}},
	{"DocumentsAndLifecyclesAreKeptByHash", func(t *testing.T, w *world) {
		key := w.id("hash")
		_, err := w.Document(w.ctx, key)
		w.is(err, workflow.ErrNotFound)
		_, err = w.Lifecycle(w.ctx, key)
		w.is(err, workflow.ErrNotFound)
		w.no(w.PutDocument(w.ctx, key, []byte("text\n")))
		w.no(w.PutDocument(w.ctx, key, []byte("text\n")))
		w.no(w.PutLifecycle(w.ctx, key, []byte("states: {}")))
		if got, err := w.Document(w.ctx, key); err != nil || string(got) != "text\n" {
			t.Errorf("document %q, %v", got, err)
		}
		if got, err := w.Lifecycle(w.ctx, key); err != nil || string(got) != "states: {}" {
			t.Errorf("lifecycle %q, %v", got, err)
		}
	}},
}

// RunAlone holds a store to the promises about what there is only one of. open
// gives a store that nobody else uses, empty.
func RunAlone(t *testing.T, open func(t *testing.T) Open) {
	t.Helper()
	t.Run("TheFirstProcessSaysWhatTheStoreIs", func(t *testing.T) {
		w := newWorld(t, open(t))
		first, err := w.Meta(w.ctx, workflow.Meta{Schema: 1, StoreID: "one", Lifecycle: "h1"})
		w.no(err)
		second, err := w.Meta(w.ctx, workflow.Meta{Schema: 1, StoreID: "two", Lifecycle: "h2"})
		w.no(err)
		if first.StoreID != "one" || second != first || first.Partitions == 0 {
			t.Errorf("first %+v, then %+v", first, second)
		}
		w.no(w.UseLifecycle(w.ctx, "h3"))
		third, err := w.Meta(w.ctx, workflow.Meta{Schema: 1, StoreID: "three", Lifecycle: "h4"})
		w.no(err)
		if third.Lifecycle != "h3" || third.StoreID != "one" {
			t.Errorf("after another lifecycle was chosen: %+v", third)
		}
	})
	t.Run("OneSweeps", func(t *testing.T) {
		w := newWorld(t, open(t))
		lead := func(who string, ttl time.Duration) bool {
			ok, err := w.Lead(w.ctx, who, ttl)
			w.no(err)
			return ok
		}
		if !lead("a", time.Hour) || !lead("a", 100*time.Millisecond) {
			t.Fatal("the first does not lead, or cannot renew it")
		}
		if lead("b", time.Hour) {
			t.Error("two lead")
		}
		w.eventually("the lease of the first ends", func() bool { return lead("b", time.Hour) })
		if lead("a", time.Hour) {
			t.Error("two lead")
		}
	})
}
