//go:build unix

package plain

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFileIsReadUpToItsLimit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := Read(path, 4); err != nil || string(b) != "text" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := Read(path, 3); err == nil || err.Error() != "has 4 bytes, at most 3 are allowed" {
		t.Errorf("over the limit: %v", err)
	}
}

func TestNothingIsToldFromSomethingElse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "none")
	if _, err := Read(path, 1); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNoFileIsRefusedAndHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	for what, put := range map[string]func(path string) error{
		"is a named pipe":    func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"is a folder":        func(path string) error { return os.Mkdir(path, 0o700) },
		"is a symbolic link": func(path string) error { return os.Symlink("/etc/passwd", path) },
		"is a socket": func(path string) error {
			l, err := net.Listen("unix", path)
			if err == nil {
				t.Cleanup(func() { l.Close() })
			}
			return err
		},
	} {
		dir, err := os.MkdirTemp("", "plain") // a socket's path must be short
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		path := filepath.Join(dir, "x")
		if err := put(path); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path, 1<<20); err == nil || !strings.HasPrefix(err.Error(), what) {
			t.Errorf("want %q, got %v", what, err)
		}
	}
	if _, err := Read("/dev/null", 1); err == nil || !strings.HasPrefix(err.Error(), "is a device") {
		t.Errorf("got %v", err)
	}
}
