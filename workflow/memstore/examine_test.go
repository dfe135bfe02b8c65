package memstore_test

import (
	"testing"

	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/memstore"
)

func TestWhatIsExaminedIsNotTaken(t *testing.T) {
	t.Parallel()
	disk := memstore.NewDisk(nil)
	for _, s := range []*memstore.Store{disk.Store(""), disk.Store("h:1:x")} {
		id := "PRP-" + string('1'+rune(len(disk.Peeks(nil))))
		_, err := s.Apply(t.Context(), workflow.Change{
			Token: id, Record: workflow.Record{ID: id, State: "new"}, Outbox: []workflow.OutboxEntry{{ID: "e-" + id, Kind: workflow.SendLook, PRP: id}},
		})
		if err != nil {
			t.Fatal(err)
		}
		of := func(e workflow.OutboxEntry) bool { return e.PRP == id }
		for range 2 {
			if !disk.IsUnsent(of) {
				t.Errorf("nothing of %s is unsent", id)
			}
		}
		if r, ok := disk.Peek(id); !ok || r.Version != 1 {
			t.Errorf("%s: %+v", id, r)
		}
	}
	if _, ok := disk.Peek("PRP-9"); ok || disk.IsUnsent(func(workflow.OutboxEntry) bool { return false }) {
		t.Error("there is what is not there")
	}
	if _, err := disk.Store("").AcquireLease(t.Context(), "repo", "PRP-1:1", 1); err != nil {
		t.Fatal(err)
	}
	if line := disk.Lease("repo"); len(line) != 1 || line[0] != "PRP-1:1" {
		t.Errorf("the lease: %v", line)
	}
}
