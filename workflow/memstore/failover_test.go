package memstore_test

import (
	"errors"
	"testing"

	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/memstore"
)

func save(t *testing.T, st *memstore.Store, seen workflow.Record, token, state string) workflow.Record {
	t.Helper()
	rec, err := st.Apply(t.Context(), workflow.Change{
		Token: token, SeenVersion: seen.Version, SeenToken: seen.Token, SeenState: seen.State,
		Record: workflow.Record{ID: "PRP-1", State: state}, Outbox: []workflow.OutboxEntry{{ID: token, PRP: "PRP-1"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// A failover takes back what came after the replica's last word, and what was
// decided on that is refused, though the version is there once more.
func TestFailoverTakesBackAndRefusesTheOtherPast(t *testing.T) {
	t.Parallel()
	disk := memstore.NewDisk(nil)
	st := disk.Store("")
	first := save(t, st, workflow.Record{}, "a", "new")
	replica := disk.Snapshot()
	lost := save(t, st, first, "b", "validated")
	if _, err := st.AcquireLease(t.Context(), "repo", "PRP-1:1:x", 1); err != nil {
		t.Fatal(err)
	}

	disk.Failover(replica, false)
	if r, _ := disk.Peek("PRP-1"); r.Version != 1 || disk.IsUnsent(func(e workflow.OutboxEntry) bool { return e.ID == "b" }) {
		t.Errorf("after the failover: %+v", r)
	}
	if len(disk.Lease("repo")) != 1 {
		t.Error("the merge lease went back with the records")
	}
	save(t, st, first, "c", "validated")
	_, err := st.Apply(t.Context(), workflow.Change{
		Token: "d", SeenVersion: lost.Version, SeenToken: lost.Token, SeenState: lost.State, Record: workflow.Record{ID: "PRP-1", State: "assigned"},
	})
	if !errors.Is(err, workflow.ErrChanged) {
		t.Errorf("a change that was decided on the lost version: %v", err)
	}

	disk.Failover(replica, true)
	if r, _ := disk.Peek("PRP-1"); r.Version != 2 || len(disk.Lease("repo")) != 0 {
		t.Errorf("after a failover of the leases: version %d, lease %v", r.Version, disk.Lease("repo"))
	}
}

func TestDamagedRecordIsToldAndMended(t *testing.T) {
	t.Parallel()
	disk := memstore.NewDisk(nil)
	st := disk.Store("")
	save(t, st, workflow.Record{}, "a", "new")
	disk.Damage("PRP-1", workflow.ErrUnreadable)
	if _, _, err := st.Load(t.Context(), "PRP-1"); !errors.Is(err, workflow.ErrUnreadable) {
		t.Errorf("a damaged record: %v", err)
	}
	disk.Damage("PRP-1", nil)
	if _, _, err := st.Load(t.Context(), "PRP-1"); err != nil {
		t.Error(err)
	}
}
