package redistest

import (
	"context"
	"os"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/prpflow/prpflow/internal/mortal"
)

// Main runs the tests of a binary and stops the servers that they started.
func Main(m *testing.M) { os.Exit(Tests{m}.Run()) }

// Tests runs the tests and then stops the servers. It is for a TestMain that has
// more to do: goleak.VerifyTestMain(redistest.Tests{M: m}, goleak.IgnoreCurrent()).
type Tests struct{ M *testing.M }

// Run implements the runner that goleak.VerifyTestMain takes.
func (r Tests) Run() int {
	redis.SetLogger(silent{})
	return mortal.Tests(func() int {
		defer shared.stop()
		return r.M.Run()
	})
}

// silent keeps go-redis from printing each failed dial to a server that a test
// has killed or that is still starting.
type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}
