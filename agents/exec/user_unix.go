//go:build unix

package exec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// identity is another user that an agent runs as. The kernel then keeps the agent from
// the files and the memory of the runtime.
type identity struct {
	name, home string
	uid, gid   uint32
	groups     []uint32
}

// become finds a user to run as. Only root may become somebody else.
func become(name string) (*identity, error) {
	if os.Geteuid() != 0 {
		return nil, fmt.Errorf("user %s: only a runtime that runs as root can run an agent as another user", name)
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("user %s: there is no such user on this machine", name)
	}
	ids, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	i := &identity{name: u.Username, home: u.HomeDir}
	uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(uerr, gerr); err != nil {
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	i.uid, i.gid = uint32(uid), uint32(gid)
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			i.groups = append(i.groups, uint32(n))
		}
	}
	return i, nil
}

// environment replaces what names the runtime's user.
func (i *identity) environment() []string {
	return []string{"HOME=" + i.home, "USER=" + i.name, "LOGNAME=" + i.name}
}

// credential is nil where the agent runs as the runtime.
func (i *identity) credential() *syscall.Credential {
	if i == nil {
		return nil
	}
	return &syscall.Credential{Uid: i.uid, Gid: i.gid, Groups: i.groups}
}

// give makes the folder of a run the user's, and lets him pass the three above it, up to
// the state folder, which nobody but the runtime can list.
func (i *identity) give(dir string) error {
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(i.uid), int(i.gid))
	})
	above := dir
	for range 3 {
		above = filepath.Dir(above)
		if info, serr := os.Stat(above); serr == nil && !i.passes(info) && owned(info) {
			err = errors.Join(err, os.Chmod(above, info.Mode().Perm()|0o011))
		}
	}
	if err != nil {
		return err
	}
	for at := filepath.Dir(dir); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		if !i.passes(info) {
			return fmt.Errorf("the user %s may not pass %s: choose another folder with --state-dir, such as /var/lib/prpflow", i.name, at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// owned says whether a folder is the runtime's.
func owned(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// passes says whether the user may go through a folder.
func (i *identity) passes(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok || i.uid == 0:
		return true
	case stat.Uid == i.uid:
		return info.Mode()&0o100 != 0
	case stat.Gid == i.gid || slices.Contains(i.groups, stat.Gid):
		return info.Mode()&0o010 != 0
	}
	return info.Mode()&0o001 != 0
}
