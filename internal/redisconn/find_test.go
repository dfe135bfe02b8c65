package redisconn

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// writes puts an address into the .prpflow of a new folder, and gives the folder.
func writes(t *testing.T, text string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	must(t, os.Mkdir(filepath.Join(dir, localFolder), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, localFolder, urlFile), []byte(text), 0o644))
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const somewhere = "redis://127.0.0.1:1"

func TestFindLeavesAnEmptyFileAlone(t *testing.T) {
	t.Parallel()
	if address, _, err := Find(writes(t, " \n"), ""); err != nil || address != "" {
		t.Errorf("found %q, %v", address, err)
	}
}

func TestFindGoesUpToTheHomeFolder(t *testing.T) {
	t.Parallel()
	dir := writes(t, somewhere+"\n")
	below := filepath.Join(dir, "a", "b")
	must(t, os.MkdirAll(below, 0o755))
	for home, want := range map[string]string{"": somewhere, dir: somewhere, filepath.Join(dir, "a"): "", below: "", filepath.Join(dir, "gone"): somewhere} {
		address, file, err := Find(below, home)
		if err != nil || address != want || want != "" && file != filepath.Join(dir, localFolder, urlFile) {
			t.Errorf("home %q: found %q in %q, %v", home, address, file, err)
		}
	}
}

func TestWhatOthersMayWriteIsNotFollowed(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, folder, file string){
		"folder that others write":     func(t *testing.T, folder, _ string) { must(t, os.Chmod(folder, 0o777)) },
		"folder that its group writes": func(t *testing.T, folder, _ string) { must(t, os.Chmod(folder, 0o770)) },
		"file that its group writes":   func(t *testing.T, _, file string) { must(t, os.Chmod(file, 0o664)) },
		"file that is a symbolic link": func(t *testing.T, _, file string) {
			must(t, os.Rename(file, file+"2"))
			must(t, os.Symlink(file+"2", file))
		},
		"file that is a pipe":     func(t *testing.T, _, file string) { must(t, os.Remove(file)); must(t, syscall.Mkfifo(file, 0o600)) },
		"file that is a folder":   func(t *testing.T, _, file string) { must(t, os.Remove(file)); must(t, os.Mkdir(file, 0o700)) },
		"file without an end":     func(t *testing.T, _, file string) { must(t, os.Truncate(file, 1<<40)) },
		"folder of somebody else": func(t *testing.T, folder, _ string) { give(t, folder) },
		"file of somebody else":   func(t *testing.T, _, file string) { give(t, file) },
		"link of somebody else": func(t *testing.T, folder, _ string) {
			must(t, os.Rename(folder, folder+"2"))
			must(t, os.Symlink(folder+"2", folder))
			give(t, folder)
		},
		"our link to a folder of others": func(t *testing.T, folder, _ string) {
			must(t, os.Rename(folder, folder+"2"))
			must(t, os.Symlink(folder+"2", folder))
			give(t, folder+"2")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := writes(t, somewhere)
			folder := filepath.Join(dir, localFolder)
			file := filepath.Join(folder, urlFile)
			spoil(t, folder, file)
			address, _, err := Find(dir, "")
			if address != "" || !errors.Is(err, ErrUntrusted) {
				t.Fatalf("found %q, %v", address, err)
			}
			for _, want := range []string{file, "--redis", "remove it"} {
				if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("says %q, want %q in it", err, want)
				}
			}
		})
	}
}

// give makes somebody else the owner.
func give(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file to somebody else")
	}
	must(t, os.Lchown(path, 65534, 65534))
}

func TestOnesOwnLinkToAFolderIsFollowed(t *testing.T) {
	t.Parallel()
	dir := writes(t, somewhere)
	folder := filepath.Join(dir, localFolder)
	must(t, os.Rename(folder, folder+"2"))
	must(t, os.Symlink(folder+"2", folder))
	if address, _, err := Find(dir, ""); err != nil || address != somewhere {
		t.Errorf("found %q, %v", address, err)
	}
}
