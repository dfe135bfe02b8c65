package exec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/prpflow/prpflow/agents"
)

var _ agents.Checker = (*command)(nil)

// Check says why the command could not be started: its folder, its program or the
// program's interpreter is missing or may not be used.
func (c *command) Check() error {
	if err := checkDir(c.repo); err != nil {
		return err
	}
	if c.as != "" {
		if _, err := become(c.as); err != nil {
			return err
		}
	}
	name := c.spec.Command[0]
	if strings.Contains(name, "{{") {
		return nil // it is known with the task
	}
	return checkProgram(c.repo, name)
}

// checkProgram looks at a program as the kernel would, relative to a folder.
func checkProgram(dir, name string) error {
	path := name
	if strings.ContainsRune(name, filepath.Separator) && !filepath.IsAbs(name) {
		path = filepath.Join(dir, name)
	}
	path, err := exec.LookPath(path)
	if errors.Is(err, exec.ErrDot) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("the command %s cannot be started: %w", name, rootCause(err))
	}
	return checkInterpreter(name, path)
}

// shebangBytes is how much of a first line the kernel reads.
const shebangBytes = 256

// checkInterpreter reads the first line of a script. The kernel says of a missing
// interpreter that the script is missing.
func checkInterpreter(name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return nil // it may be executable and not readable
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, shebangBytes))
	line, script := bytes.CutPrefix(head, []byte("#!"))
	if err != nil || !script {
		return nil
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	interpreter, _, _ := strings.Cut(strings.Trim(string(line), " \t"), " ")
	if strings.Contains(string(line), "\r") {
		return fmt.Errorf("the command %s cannot be started: its first line ends with a carriage return; save it with Unix line ends", name)
	}
	if info, err := os.Stat(interpreter); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
		return fmt.Errorf("the command %s cannot be started: its interpreter %s is missing or not executable", name, interpreter)
	}
	return nil
}

// cannotStart is why a command did not start, in words that name the cause.
func cannotStart(p plan, err error) error {
	if cerr := checkProgram(p.dir, p.argv[0]); cerr != nil {
		return cerr
	}
	return fmt.Errorf("the command %s cannot be started: %w", p.argv[0], rootCause(err))
}

// rootCause leaves out the layers that repeat the path.
func rootCause(err error) error {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return err
}
