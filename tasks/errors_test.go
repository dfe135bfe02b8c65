package tasks_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/prpflow/prpflow/tasks"
)

func TestMarkedErrorsAreFoundInsideOthersAndKeepTheirCause(t *testing.T) {
	t.Parallel()
	var permanent *tasks.PermanentError
	if err := fmt.Errorf("run: %w", tasks.Permanent(io.EOF)); !errors.As(err, &permanent) || !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
	var again *tasks.RetryAfterError
	err := fmt.Errorf("run: %w", tasks.RetryAfter(time.Minute, io.EOF))
	if !errors.As(err, &again) || again.After != time.Minute || !errors.Is(err, io.EOF) {
		t.Errorf("%v", err)
	}
	if want := "run: EOF (again after 1m0s)"; err.Error() != want {
		t.Errorf("it says %q", err)
	}
}
