package redisconn

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	socketFile = "redis.sock"
	// longestSocket is what every system has room for in a socket's address.
	longestSocket = 100
)

// dataFolder makes or checks dir/.prpflow, and gives its path without links: the
// server names it so, and we must know it again.
func dataFolder(dir string) (string, error) {
	data, err := filepath.Abs(filepath.Join(dir, localFolder))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(data), 0o700); err != nil {
		return "", err
	}
	if link, err := os.Lstat(data); err == nil && link.Mode()&fs.ModeSymlink != 0 {
		if foreign(link) {
			return "", ours(data, "is a symbolic link of user "+name(link))
		}
		if data, err = filepath.EvalSymlinks(data); err != nil {
			return "", err
		}
	}
	if err := private(data); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(data)
}

// private makes a folder that only this user may enter, or makes one that is
// there so. It refuses one of somebody else, or with something of his in it.
func private(folder string) error {
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(folder)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return ours(folder, "is not a folder")
	}
	f, err := os.Open(folder)
	if errors.Is(err, fs.ErrPermission) {
		return ours(folder, "belongs to user "+name(info))
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return err
	}
	if uid, known := owner(info); known && uid != os.Geteuid() {
		return ours(folder, "belongs to user "+name(info))
	}
	if info.Mode().Perm() != 0o700 {
		if err := f.Chmod(0o700); err != nil {
			return err
		}
	}
	entries, err := f.ReadDir(-1)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && foreign(info) {
			return ours(filepath.Join(folder, e.Name()), "belongs to user "+name(info))
		}
	}
	return nil
}

// ours says why a folder cannot hold the data or the socket.
func ours(path, why string) error {
	return &untrusted{fmt.Sprintf("%s %s, and redis-server needs a folder that nobody else may write to: remove it, or name a Redis with --redis", path, why)}
}

// socketPath is where the server of a data folder listens: in the folder, or,
// where that path is too long for a socket, in a private folder below the first
// base that is short enough.
func socketPath(data string, bases ...string) (string, error) {
	if path := filepath.Join(data, socketFile); len(path) <= longestSocket {
		return path, nil
	}
	for _, base := range bases {
		path := filepath.Join(base, privateName(data), socketFile)
		if filepath.IsAbs(base) && len(path) <= longestSocket {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is too long a path for a socket, and so is every temporary folder: set TMPDIR to a shorter one", data)
}

// socketBases are the folders for short-lived files of this user.
func socketBases() []string { return []string{os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), "/tmp"} }

func privateName(data string) string {
	sum := sha256.Sum256([]byte(data))
	return "prpflow-" + hex.EncodeToString(sum[:8])
}

// belongs reports whether a socket is at a place that socketPath gives.
func belongs(socket, data string) bool {
	folder := filepath.Dir(socket)
	return filepath.Base(socket) == socketFile && (folder == data || filepath.Base(folder) == privateName(data))
}

// socketURL writes a path as an address.
func socketURL(path string) string {
	return "unix://" + strings.NewReplacer("%", "%25", "?", "%3F").Replace(path)
}
