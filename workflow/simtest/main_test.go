package simtest

import (
	"runtime/debug"
	"testing"

	"go.uber.org/goleak"
)

// A world is small and short-lived: memory is cheaper here than collecting it, up to a
// bound.
func TestMain(m *testing.M) {
	debug.SetGCPercent(4000)
	debug.SetMemoryLimit(300 << 20)
	goleak.VerifyTestMain(m)
}
