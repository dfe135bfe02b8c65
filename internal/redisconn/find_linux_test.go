package redisconn

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestFindStaysOnOneFileSystem(t *testing.T) {
	t.Parallel()
	dir := writes(t, somewhere)
	mount := filepath.Join(dir, "mount")
	must(t, os.Mkdir(mount, 0o755))
	if err := syscall.Mount("none", mount, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("nothing can be mounted here: %v", err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(mount, 0)) })
	if address, _, err := Find(mount, ""); err != nil || address != "" {
		t.Errorf("found %q, %v, beyond a mount", address, err)
	}
}
