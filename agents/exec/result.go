package exec

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/prpflow/prpflow/internal/plain"
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

// written watches a result file: an agent that has written the whole of it is done,
// whether or not it ends.
type written struct {
	path string
	seen time.Time // when it was whole for the first time
	mod  time.Time // of the file that was read last
	size int64
}

// since says whether the file has been whole for so long.
func (w *written) since(now time.Time, grace time.Duration) bool {
	if w.seen.IsZero() {
		info, err := os.Lstat(w.path)
		if err != nil || info.ModTime().Equal(w.mod) && info.Size() == w.size {
			return false
		}
		w.mod, w.size = info.ModTime(), info.Size()
		if _, err := readResult(w.path); err != nil {
			return false
		}
		w.seen = now
	}
	return now.Sub(w.seen) >= grace
}
