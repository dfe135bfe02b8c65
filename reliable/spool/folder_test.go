package spool

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFolderThatOthersMayWriteToIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(b *bench)
		want    string
	}{
		"writable by the group": {func(b *bench) { b.must(os.Chmod(b.dir, 0o770)) }, "mode 0770"},
		"writable by all":       {func(b *bench) { b.must(os.Chmod(b.dir, 0o777)) }, "chmod 700"},
		"a symbolic link": {func(b *bench) {
			b.must(os.Rename(b.dir, b.dir+"2"))
			b.must(os.Symlink(b.dir+"2", b.dir))
		}, "symbolic link"},
		"a link to nothing": {func(b *bench) {
			b.must(os.RemoveAll(b.dir))
			b.must(os.Symlink("nowhere", b.dir))
		}, "symbolic link"},
		"a file": {func(b *bench) {
			b.must(os.RemoveAll(b.dir))
			b.must(os.WriteFile(b.dir, nil, 0o600))
		}, "not a folder"},
		"of another user": {func(b *bench) {
			if err := os.Chown(b.dir, 4711, -1); err != nil {
				b.Skip("only root can change the owner of a folder")
			}
		}, "another user"},
		"below a file": {func(b *bench) {
			b.must(os.RemoveAll(filepath.Dir(b.dir)))
			b.must(os.WriteFile(filepath.Dir(b.dir), nil, 0o600))
		}, "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			s := b.open(Config{})
			b.append(s, "1")
			c.prepare(b)
			_, drain := s.Drain(t.Context(), new(pushed).push)
			_, list := s.List(t.Context())
			_, stat := s.Stat(t.Context())
			for _, err := range []error{s.Append(t.Context(), records("2")...), drain, list, stat} {
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "spool: ") || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

func TestFolderIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.append(b.open(Config{}), "1")
	for path, want := range map[string]os.FileMode{filepath.Dir(b.dir): 0o700, b.dir: 0o700, filepath.Join(b.dir, logName): 0o600} {
		info, err := os.Stat(path)
		b.must(err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o", path, got)
		}
	}
}

func TestFolderThatIsRemovedMeanwhileIsMadeAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{})
	b.append(s, "1")
	b.must(os.RemoveAll(b.dir))
	b.wantWaiting(s)
	b.append(s, "2")
	b.want("drained", b.drain(s), "2")
}

// What stands in the way of a file is an error that names it; the records stay.
func TestErrorsOfTheDiskNameTheFile(t *testing.T) {
	t.Parallel()
	for _, name := range []string{logName, staleName, "log.position", "stale.position", lockName} {
		b := newBench(t)
		s := b.open(Config{})
		b.append(s, "1")
		b.write(staleName, b.read(logName))
		b.must(os.RemoveAll(filepath.Join(b.dir, name)))
		b.must(os.Mkdir(filepath.Join(b.dir, name), 0o700))
		_, drain := s.DrainAll(t.Context(), new(pushed).push)
		_, list := s.List(t.Context())
		_, stat := s.Stat(t.Context())
		for _, err := range []error{drain, list, stat, s.Append(t.Context(), records("2")...)} {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	b := newBench(t)
	s := b.open(Config{})
	b.append(s, "1")
	b.must(os.Mkdir(filepath.Join(b.dir, drainLockName), 0o700))
	if _, err := s.Drain(t.Context(), new(pushed).push); err == nil || !strings.Contains(err.Error(), drainLockName) {
		t.Errorf("drain: %v", err)
	}
}

func TestUnfinishedFilesOfAKilledProcessAreOverwritten(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write("log.new", []byte("garbage"))
	b.write("log.position.new", []byte("garbage"))
	s := b.open(Config{})
	b.append(s, "1")
	b.want("drained", b.drain(s), "1")
}
