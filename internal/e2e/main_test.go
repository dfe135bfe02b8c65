package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/prpflow/prpflow/internal/mortal"
	"github.com/prpflow/prpflow/internal/redistest"
)

const programSource = "../../cmd/prpflow"

// built is the program, and one that can be told to die at a point of its way;
// or the sentence that says why there is none.
var built struct {
	path    string
	faulty  string
	missing string
}

func TestMain(m *testing.M) { os.Exit(mortal.Tests(func() int { return run(m) })) }

func run(m *testing.M) int {
	sources, err := filepath.Glob(filepath.Join(programSource, "*.go"))
	if err != nil || len(sources) == 0 {
		built.missing = "cmd/prpflow has no Go files yet, so there is no program to run"
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "prpflow-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	built.path, built.faulty = filepath.Join(dir, "prpflow"), filepath.Join(dir, "prpflow-faulty")
	args := []string{"build", "-buildvcs=false"}
	if raced {
		args = append(args, "-race")
	}
	if os.Getenv("GOCOVERDIR") != "" { // what the processes cover counts
		args = append(args, "-cover", "-covermode=atomic", "-coverpkg=github.com/prpflow/prpflow/...")
	}
	for _, how := range [][]string{{"-o", built.path}, {"-o", built.faulty, "-tags", "faults"}} {
		how = append(append(append([]string{}, args...), how...), programSource)
		if out, err := exec.Command("go", how...).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "the program does not build: %v\n%s", err, out)
			return 1
		}
	}
	return redistest.Tests{M: m}.Run()
}
