package redisconn

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/prpflow/prpflow/internal/redistest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(redistest.Tests{M: m}, goleak.IgnoreCurrent())
}
