package exec

import (
	"bytes"
	"fmt"

	"github.com/prpflow/prpflow/agents/internal/plain"
	"github.com/prpflow/prpflow/tasks"
)

// readResult reads a result file; os.ErrNotExist where there is none.
func readResult(path string) (tasks.Result, error) {
	b, err := plain.Read(path, tasks.MaxResult)
	if err != nil {
		return tasks.Result{}, fmt.Errorf("the result file %w", err)
	}
	// Some editors and shells begin a file with a byte order mark.
	return tasks.ParseResult(bytes.TrimPrefix(b, []byte("\ufeff")))
}
