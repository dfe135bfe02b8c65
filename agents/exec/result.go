package exec

import (
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/prpflow/prpflow/tasks"
)

// readResult reads a result file; os.ErrNotExist where there is none. It must
// be a file: a pipe that the agent put in its place would hold the runtime up.
func readResult(path string) (tasks.Result, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return tasks.Result{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return tasks.Result{}, err
	}
	if !info.Mode().IsRegular() {
		return tasks.Result{}, fmt.Errorf("the result file is no regular file")
	}
	if info.Size() > tasks.MaxResult {
		return tasks.Result{}, fmt.Errorf("the result file has %d bytes, at most %d are allowed", info.Size(), tasks.MaxResult)
	}
	b, err := io.ReadAll(io.LimitReader(f, tasks.MaxResult+1))
	if err != nil {
		return tasks.Result{}, fmt.Errorf("the result file cannot be read: %w", err)
	}
	return tasks.ParseResult(b)
}
