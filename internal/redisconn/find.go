package redisconn

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ErrUntrusted says that a file or folder is not used, because somebody else may
// have written it.
var ErrUntrusted = errors.New("somebody else may have written it")

// untrusted is a sentence for people that programs find as ErrUntrusted.
type untrusted struct{ text string }

func (u *untrusted) Error() string        { return u.text }
func (u *untrusted) Is(target error) bool { return target == ErrUntrusted }

// longestURL bounds .prpflow/redis.url, in bytes.
const longestURL = 4096

// Find looks for the address of a local server: .prpflow/redis.url in dir or the
// nearest parent that has one. The search ends at home, which is looked at, and
// does not leave the file system of dir. Both answers are "" where there is none;
// one that somebody else may have written is an ErrUntrusted.
func Find(dir, home string) (address, file string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", "", fmt.Errorf("find %s: %w", filepath.Join(localFolder, urlFile), err)
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	here, err := os.Stat(dir)
	if err != nil {
		return "", "", nil // a folder that is gone has no files, and what was above it is unknown
	}
	end, _ := os.Stat(home) // nil where there is no home
	for begin := device(here); ; {
		folder := filepath.Join(dir, localFolder)
		if address, err = readAddress(folder); err != nil || address != "" {
			return address, filepath.Join(folder, urlFile), err
		}
		parent := filepath.Dir(dir)
		if parent == dir || os.SameFile(here, end) {
			return "", "", nil
		}
		if here, err = os.Stat(parent); err != nil || device(here) != begin {
			return "", "", nil
		}
		dir = parent
	}
}

// readAddress reads the redis.url of a folder, "" where it has none. All checks
// are of the folder and the file that are open, so nobody can exchange them.
func readAddress(folder string) (string, error) {
	file := filepath.Join(folder, urlFile)
	link, err := os.Lstat(folder)
	if info, serr := os.Stat(folder); err != nil || serr != nil || !info.IsDir() {
		return "", nil
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return "", nil // not even its owner's name can be told
	}
	defer root.Close()
	inside, err := root.Stat(".")
	if err != nil {
		return "", fmt.Errorf("read %s: %w", file, err)
	}
	entry, err := root.Lstat(urlFile)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission) && foreign(inside):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read %s: %w", file, err)
	case foreign(link):
		return "", distrust(file, "its folder is a symbolic link of user "+name(link))
	case foreign(inside):
		return "", distrust(file, "its folder belongs to user "+name(inside))
	case writable(inside):
		return "", distrust(file, fmt.Sprintf("others may write to its folder (mode %04o)", inside.Mode().Perm()))
	case foreign(entry):
		return "", distrust(file, "it belongs to user "+name(entry))
	case !entry.Mode().IsRegular():
		return "", distrust(file, "it is not a regular file")
	case writable(entry):
		return "", distrust(file, fmt.Sprintf("others may write to it (mode %04o)", entry.Mode().Perm()))
	}
	f, err := root.OpenFile(urlFile, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", file, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, longestURL+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read %s: %w", file, err)
	case len(text) > longestURL:
		return "", distrust(file, fmt.Sprintf("it is larger than %d bytes", longestURL))
	}
	return strings.TrimSpace(string(text)), nil
}

// distrust says why a redis.url is not followed and what to do.
func distrust(file, why string) error {
	return &untrusted{fmt.Sprintf("%s is not followed, because %s: name a Redis with --redis, or remove it", file, why)}
}

// foreign reports whether a file belongs neither to this user nor to root.
func foreign(info fs.FileInfo) bool {
	uid, known := owner(info)
	return known && uid != 0 && uid != os.Geteuid()
}

// writable reports whether others than its owner may write to a file.
func writable(info fs.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }

// name is how people know the owner of a file.
func name(info fs.FileInfo) string {
	uid, _ := owner(info)
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
