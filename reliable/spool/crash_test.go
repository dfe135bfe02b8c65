package spool

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// story is a spool with a crash at every step: it keeps a copy of the folder of
// each moment between two changes on disk.
type story struct {
	*bench
	s       *Spool
	moments []moment
	sent    []string // given to Append
	safe    int      // so many of them Append has acknowledged
	pushed  []string
}

// moment is what a killed process would leave behind.
type moment struct {
	point  string
	dir    string
	sent   int
	safe   int
	pushed int
}

func (y *story) step(point string) {
	dir := filepath.Join(y.TempDir(), "copy")
	y.must(os.CopyFS(dir, os.DirFS(y.dir)))
	y.must(os.Chmod(dir, 0o700))
	y.moments = append(y.moments, moment{point, dir, len(y.sent), y.safe, len(y.pushed)})
}

func (y *story) send(age time.Duration, n int) {
	y.Helper()
	var list []Record
	for range n {
		id := fmt.Sprint("m", len(y.sent))
		y.sent = append(y.sent, id)
		list = append(list, Record{Queue: "q", ID: id, At: time.Now().Add(-age), Body: []byte(id)})
	}
	y.must(y.s.Append(y.Context(), list...))
	y.safe = len(y.sent)
}

func (y *story) push(_ context.Context, list []Record) error {
	for _, r := range list {
		y.pushed = append(y.pushed, r.ID)
	}
	return nil
}

func TestKillBetweenAnyTwoChangesOnDiskLosesNothing(t *testing.T) {
	t.Parallel()
	y := &story{bench: newBench(t)}
	y.s = y.open(Config{Keep: time.Hour, MaxBytes: 20_000})
	y.s.step = y.step
	y.send(0, 3)
	_, err := y.s.Drain(t.Context(), y.push)
	y.must(err)
	y.send(0, 60)
	y.send(2*time.Hour, 2)
	y.send(0, 60)
	calls := 0
	_, err = y.s.Drain(t.Context(), func(ctx context.Context, list []Record) error {
		if calls++; calls < 7 {
			y.send(0, 60) // the log is not empty until it was replaced by a shorter one
		}
		return y.push(ctx, list)
	})
	y.must(err)
	y.send(2*time.Hour, 1)
	y.send(0, 1)
	_, err = y.s.DrainAll(t.Context(), y.push)
	y.must(err)

	seen := map[string]int{}
	for _, m := range y.moments {
		seen[m.point]++
		y.check(m)
	}
	for _, point := range []string{
		"written", "synced", "pushed", "set aside", "deleted",
		"new log", "renamed log", "new stale", "renamed stale", "new log.position", "renamed log.position",
	} {
		if seen[point] == 0 {
			t.Errorf("the story never came to %q: %v", point, seen)
		}
	}
	if !slices.Equal(slices.Sorted(slices.Values(y.pushed)), slices.Sorted(slices.Values(y.sent))) {
		t.Errorf("without a crash %d of %d records were pushed", len(y.pushed), len(y.sent))
	}
}

// check drains what a moment left behind: with what was pushed before, all that
// was acknowledged has arrived, and what is new arrives in order.
func (y *story) check(m moment) {
	y.Helper()
	s, err := Open(Config{Dir: m.dir, Keep: time.Hour})
	y.must(err)
	y.must(s.Append(y.Context(), records("later")...))
	var fresh []string
	_, err = s.Drain(y.Context(), func(_ context.Context, list []Record) error {
		for _, r := range list {
			fresh = append(fresh, r.ID)
		}
		return nil
	})
	y.must(err)
	arrived := map[string]bool{}
	for _, id := range slices.Concat(y.pushed[:m.pushed], fresh, y.drainAll(s)) {
		arrived[id] = true
	}
	for _, id := range y.sent[:m.safe] {
		if !arrived[id] {
			y.Errorf("killed at %q: %s is lost", m.point, id)
		}
	}
	order := append(slices.Clone(y.sent[:m.sent]), "later")
	last := -1
	for _, id := range fresh {
		at := slices.Index(order, id)
		if at <= last {
			y.Errorf("killed at %q: %s came after %s", m.point, id, order[last])
		}
		last = at
	}
}
