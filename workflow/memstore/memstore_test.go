package memstore_test

import (
	"testing"

	"github.com/prpflow/prpflow/workflow"
	"github.com/prpflow/prpflow/workflow/memstore"
	"github.com/prpflow/prpflow/workflow/storetest"
)

func open(*testing.T) storetest.Open {
	disk := memstore.NewDisk(nil)
	return func(worker string) workflow.Store { return disk.Store(worker) }
}

func TestReferenceStoreKeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, open)
	storetest.RunAlone(t, open)
}
