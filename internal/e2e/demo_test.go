package e2e

import (
	"os"
	"regexp"
	"testing"
	"time"
)

// A newcomer's first command: no server, no tool on the PATH, nothing left.
func TestDemoNeedsNothingAndLeavesNothing(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	w := bareWorld(t, temp)
	a := w.runFor(2*time.Minute, "demo", "--once")
	if a.code != 0 {
		t.Fatalf("demo --once: exit %d\n%s%s", a.code, a.out, a.errout)
	}
	done := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^.*?([A-Z]+-\d+).*\bcomplete\b.*$`).FindAllStringSubmatch(a.out+a.errout, -1) {
		done[m[1]] = true
	}
	if len(done) < 3 {
		t.Errorf("the demo tells of %d complete PRPs, want 3 or more\n%s", len(done), a.out)
	}
	for _, dir := range []string{w.dir, temp} {
		left, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) > 0 {
			t.Errorf("the demo leaves behind: %v", left)
		}
	}
}

// Where redis-server is missing, serve says how to get one.
func TestServeWithoutAServerSaysHowToGetOne(t *testing.T) {
	t.Parallel()
	w := bareWorld(t, t.TempDir())
	a := w.run("serve", "--listen", w.freeAddr())
	if a.code == 0 {
		t.Errorf("serve without a Redis exits 0: %s", a.out)
	}
	w.sentence(a)
}

// bareWorld is an empty folder and nothing on the PATH.
func bareWorld(t *testing.T, temp string) *world {
	t.Helper()
	if built.missing != "" {
		t.Skip(built.missing)
	}
	w := &world{t: t, dir: t.TempDir()}
	w.env = []string{"PATH=/nonexistent", "HOME=" + w.dir, "TMPDIR=" + temp}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		w.env = append(w.env, "GOCOVERDIR="+dir)
	}
	return w
}
