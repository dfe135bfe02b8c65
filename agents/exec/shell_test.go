package exec

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestShellGivesInputAndTellsTheEnd(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if err := Shell(t.Context(), "tr a-z A-Z; echo oh >&2", strings.NewReader("text"), &out, &errs); err != nil || out.String() != "TEXT" || errs.String() != "oh\n" {
		t.Errorf("%q, %q, %v", out.String(), errs.String(), err)
	}
	if err := Shell(t.Context(), "exit 3", strings.NewReader(""), &out, &errs); err == nil || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("exit 3 is %v", err)
	}
	// A command that does not read has not failed.
	if err := Shell(t.Context(), "true", strings.NewReader(strings.Repeat("x", 1<<20)), &out, &errs); err != nil {
		t.Errorf("a command that does not read: %v", err)
	}
}

func TestShellEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Shell(ctx, "trap '' TERM; (sleep 300 & echo $! >"+dir+"/child; wait) & echo $$ >"+dir+"/pid; wait; sleep 300", strings.NewReader(""), os.Stderr, os.Stderr)
	}()
	for len(read(filepath.Join(dir, "pid"))) == 0 || len(read(filepath.Join(dir, "child"))) == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a stopped command has not failed")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it did not end")
	}
	for _, name := range []string{"pid", "child"} {
		for end := time.Now().Add(10 * time.Second); alive(strings.TrimSpace(read(filepath.Join(dir, name)))); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the %s lives on", name)
			}
		}
	}
}

func read(path string) string { b, _ := os.ReadFile(path); return string(b) }

func alive(pid string) bool {
	stat := read("/proc/" + pid + "/stat")
	return stat != "" && !strings.Contains(stat, ") Z ")
}
