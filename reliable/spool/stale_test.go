package spool

import (
	"strings"
	"testing"
	"time"
)

// clock is a spool's clock that a test moves.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func TestRecordsOlderThanKeepWaitForDrainAll(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	c := &clock{time.Now()}
	s := b.open(Config{Keep: time.Hour})
	s.now = c.now
	b.append(s, "old 1", "old 2")
	c.Time = c.Add(time.Hour + time.Second)
	b.append(s, "new")
	listed := func(want ...bool) {
		t.Helper()
		list, err := s.List(t.Context())
		b.must(err)
		if len(list) != len(want) {
			t.Fatalf("%d are listed", len(list))
		}
		for i, r := range list {
			if r.Stale != want[i] {
				t.Errorf("%s is listed as stale: %v", r.ID, r.Stale)
			}
		}
	}
	listed(true, true, false)
	b.want("drained", b.drain(s), "new")
	listed(true, true)
	b.wantWaiting(s, "old 1", "old 2")
	if stat, err := s.Stat(t.Context()); err != nil || stat.Stale != 2 {
		t.Errorf("%+v, %v", stat, err)
	}
	if !strings.Contains(b.log.String(), "too old to be pushed") || !strings.Contains(b.log.String(), "records=2") {
		t.Errorf("the log does not tell of them: %s", &b.log)
	}
	b.append(s, "newer")
	b.want("drained again", b.drain(s), "newer")

	b.append(s, "newest")
	b.want("all", b.drainAll(b.open(Config{})), "old 1", "old 2", "newest")
	b.wantWaiting(s)
	b.want("files", b.files(), drainLockName, lockName)
}

func TestStaleRecordsAreInBothFilesAtMostOnceAfterAKill(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{Keep: time.Hour})
	old := records("old 1", "old 2")
	for i := range old {
		old[i].At = time.Now().Add(-2 * time.Hour)
	}
	b.must(s.Append(t.Context(), old...))
	s.step = func(point string) {
		if point == "set aside" {
			panic("killed")
		}
	}
	func() {
		defer func() { _ = recover() }()
		b.drain(s)
	}()
	b.wantWaiting(b.open(Config{}), "old 1", "old 2", "old 1", "old 2")
	b.want("drained", b.drain(b.open(Config{Keep: time.Hour})))
	b.wantWaiting(b.open(Config{}), "old 1", "old 2")
}

func TestStaleRecordsCountAgainstTheLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{Keep: time.Hour, MaxBytes: 300})
	old := records("old 1", "old 2")
	for i := range old {
		old[i].At = time.Now().Add(-2 * time.Hour)
	}
	b.must(s.Append(t.Context(), old...))
	b.want("drained", b.drain(s))
	if err := s.Append(t.Context(), records("1")...); err == nil {
		t.Error("there was room")
	}
	b.want("all", b.drainAll(s), "old 1", "old 2")
	b.append(s, "1")
}
