package redisconn

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheSocketIsShortEnoughForEverySystem(t *testing.T) {
	t.Parallel()
	short, long := "/srv/x/.prpflow", "/srv/"+strings.Repeat("x", 100)
	for data, want := range map[string]string{
		short:                         short + "/redis.sock",
		"/" + strings.Repeat("y", 88): "/" + strings.Repeat("y", 88) + "/redis.sock", // 100 bytes
		"/" + strings.Repeat("y", 89): "/tmp/" + privateName("/"+strings.Repeat("y", 89)) + "/redis.sock",
		"/" + strings.Repeat("ü", 45): "/tmp/" + privateName("/"+strings.Repeat("ü", 45)) + "/redis.sock", // bytes count
		long:                          "/tmp/" + privateName(long) + "/redis.sock",
	} {
		got, err := socketPath(data, "", "relative", long, "/tmp")
		if err != nil || got != want || !belongs(got, data) || belongs(got, data+"2") {
			t.Errorf("%s: %s, %v", data, got, err)
		}
	}
	if _, err := socketPath(long, long); err == nil || !strings.Contains(err.Error(), long) {
		t.Errorf("no room: %v", err)
	}
}

func TestAFolderThatOthersMayEnterIsTightened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder := filepath.Join(dir, localFolder)
	must(t, os.Mkdir(folder, 0o700))
	for _, mode := range []os.FileMode{0o777, 0o755, 0o710, 0o770} {
		must(t, os.Chmod(folder, mode))
		if _, err := dataFolder(dir); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%o became %v, %v", mode, info.Mode(), err)
		}
	}
}

func TestAFolderOfSomebodyElseIsRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, folder string){
		"folder": func(t *testing.T, folder string) { must(t, os.Mkdir(folder, 0o700)); give(t, folder) },
		"file in it": func(t *testing.T, folder string) {
			must(t, os.Mkdir(folder, 0o777))
			must(t, os.WriteFile(folder+"/redis.log", nil, 0o600))
			give(t, folder+"/redis.log")
		},
		"link in it": func(t *testing.T, folder string) {
			must(t, os.Mkdir(folder, 0o777))
			must(t, os.Symlink("/dev/null", folder+"/redis.log"))
			give(t, folder+"/redis.log")
		},
		"link to it": func(t *testing.T, folder string) {
			must(t, os.Mkdir(folder+"2", 0o700))
			must(t, os.Symlink(folder+"2", folder))
			give(t, folder)
		},
		"a mere file": func(t *testing.T, folder string) { must(t, os.WriteFile(folder, nil, 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			spoil(t, filepath.Join(dir, localFolder))
			if _, err := dataFolder(dir); !errors.Is(err, ErrUntrusted) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v", err)
			}
		})
	}
	folder := filepath.Join(t.TempDir(), "socket")
	must(t, os.Symlink(t.TempDir(), folder))
	if err := private(folder); !errors.Is(err, ErrUntrusted) {
		t.Errorf("a link is no private folder: %v", err)
	}
}
