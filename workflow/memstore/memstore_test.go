package memstore_test

import (
	"testing"
	"time"

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
	storetest.RunWithClock(t, func(*testing.T) (storetest.Open, func(time.Duration)) {
		now := time.Now().Truncate(time.Second).Add(123456 * time.Microsecond)
		disk := memstore.NewDisk(func() time.Time { return now })
		return func(worker string) workflow.Store { return disk.Store(worker) }, func(by time.Duration) { now = now.Add(by) }
	})
}
