package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRecordsAreDrainedInTheirOrderAndOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{})
	var ids []string
	for n := range 250 {
		ids = append(ids, fmt.Sprint("m", n))
	}
	b.must(s.Append(t.Context(), records(ids[:120]...)...))
	b.append(s, ids[120:]...)
	b.wantWaiting(b.open(Config{}), ids...)
	b.want("drained", b.drain(b.open(Config{})), ids...)
	b.want("drained again", b.drain(s))
	b.wantWaiting(s)
	b.append(s, "later")
	b.want("drained later", b.drain(s), "later")
	b.want("files", b.files(), drainLockName, lockName)
}

func TestRecordComesOutAsItWentIn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{})
	at := time.Now().Add(-time.Hour).In(time.FixedZone("east", 7200))
	in := []Record{
		{Queue: "dev-1", ID: "bytes", At: at, Body: []byte("\x00\xff\n\r\"<&>\xe2\x80\xa8")},
		{Queue: "q \n é", ID: "id \x00 ☃", Body: bytes.Repeat([]byte("a long body\n"), 100_000)},
		{Queue: "dev-1", ID: "empty"},
	}
	before := time.Now()
	b.must(s.Append(t.Context(), in...))
	var out []Record
	_, err := s.Drain(t.Context(), func(_ context.Context, list []Record) error {
		out = append(out, list...)
		return nil
	})
	b.must(err)
	if len(out) != len(in) {
		t.Fatalf("%d came out", len(out))
	}
	for i, r := range out {
		if r.Queue != in[i].Queue || r.ID != in[i].ID || !bytes.Equal(r.Body, in[i].Body) {
			t.Errorf("%+.100v came out as %+.100v", in[i], r)
		}
	}
	if !out[0].At.Equal(at) || out[0].At.Location() != time.UTC {
		t.Errorf("the time %s came out as %s", at, out[0].At)
	}
	if got := out[1].At; got.Before(before.Round(0)) || got.After(time.Now()) {
		t.Errorf("the time that Append sets is %s", got)
	}
}

func TestEmptySpoolMakesNoFolder(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{})
	b.must(s.Append(t.Context()))
	b.want("drained", b.drain(s))
	b.want("drained", b.drainAll(s))
	b.wantWaiting(s)
	if exists, err := s.checkFolder(); exists || err != nil {
		t.Errorf("there is a folder: %v", err)
	}
}

func TestWhatCouldNotBePushedStays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{})
	var ids []string
	for n := range 150 {
		ids = append(ids, fmt.Sprint("m", n))
	}
	b.must(s.Append(t.Context(), records(ids...)...))
	broken := errors.New("broken")
	calls := 0
	n, err := s.Drain(t.Context(), func(context.Context, []Record) error {
		if calls++; calls == 2 {
			return broken
		}
		return nil
	})
	if n != 100 || !errors.Is(err, broken) || !strings.Contains(err.Error(), "50 records from m100 on") {
		t.Errorf("%d, %v", n, err)
	}
	b.wantWaiting(s, ids[100:]...)

	func() {
		defer func() { _ = recover() }()
		_, _ = s.Drain(t.Context(), func(context.Context, []Record) error { panic("at the receiver") })
	}()
	b.want("after a panic", b.drain(s), ids[100:]...)
}

func TestContextThatEndsInPushStillRemovesWhatWasPushed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{})
	b.must(s.Append(t.Context(), records(slices.Repeat([]string{"m"}, 101)...)...))
	ctx, cancel := context.WithCancel(t.Context())
	n, err := s.Drain(ctx, func(context.Context, []Record) error {
		cancel()
		return nil
	})
	if n != 100 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d, %v", n, err)
	}
	b.wantWaiting(s, "m")
	if err := s.Append(ctx, records("late")...); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v", err)
	}
}

func TestAppendIsNotHeldUpByADrainAndASecondDrainIs(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, second := range map[string]func(first *Spool) *Spool{
		"in another process": func(*Spool) *Spool { return b.open(Config{}) },
		"in the same":        func(first *Spool) *Spool { return first },
	} {
		first := b.open(Config{})
		other := second(first)
		b.append(first, "1")
		var ids []string
		_, err := first.Drain(t.Context(), func(_ context.Context, list []Record) error {
			if len(ids) == 0 {
				b.append(other, "2", "3")
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				if n, err := other.Drain(ctx, new(pushed).push); n != 0 || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: the second drain: %d, %v", name, n, err)
				}
			}
			for _, r := range list {
				ids = append(ids, r.ID)
			}
			return nil
		})
		b.must(err)
		b.want(name, ids, "1", "2", "3")
	}
}

func TestSpoolThatIsFullSaysSoAndKeepsNothingOfTheCall(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{MaxBytes: 400})
	b.append(s, "1", "2")
	err := s.Append(t.Context(), records("3", "4", "5")...)
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "of 400 bytes") || strings.Contains(err.Error(), "\n") {
		t.Errorf("append: %v", err)
	}
	b.wantWaiting(s, "1", "2")
	b.append(s, "3")
	b.want("drained", b.drain(s), "1", "2", "3")
	b.append(s, "4") // there is room again
	b.wantWaiting(s, "4")
}

// What is drained counts no longer, and its space is given back before the file
// is twice as large as may wait.
func TestFileOfASpoolThatIsNeverEmptyDoesNotGrow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{MaxBytes: 40_000})
	n, largest := 0, 0
	next := func() string { n++; return fmt.Sprint("m", n) }
	for range 150 {
		b.append(s, next())
	}
	var got []string
	_, err := s.Drain(t.Context(), func(_ context.Context, list []Record) error {
		largest = max(largest, len(b.read(logName)))
		for _, r := range list {
			got = append(got, r.ID)
			if n < 2000 {
				b.append(s, next())
			}
		}
		return nil
	})
	b.must(err)
	if len(got) != 2000 || !slices.IsSortedFunc(got, func(a, b string) int { return len(a) - len(b) }) {
		t.Errorf("%d were drained", len(got))
	}
	if largest > 2*40_000 {
		t.Errorf("the log had %d bytes", largest)
	}
}

func TestBatchesOfLongRecordsAreSmall(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{})
	for range 4 {
		b.must(s.Append(t.Context(), Record{Queue: "q", ID: "m", Body: make([]byte, batchBytes/2)}))
	}
	var sizes []int
	_, err := s.Drain(t.Context(), func(_ context.Context, list []Record) error {
		sizes = append(sizes, len(list))
		return nil
	})
	if err != nil || !slices.Equal(sizes, []int{1, 1, 1, 1}) {
		t.Errorf("batches of %v, %v", sizes, err)
	}
}

func TestRecordsWithoutANameAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{})
	for _, r := range []Record{
		{ID: "m"}, {Queue: "q"}, {Queue: "q", ID: "\xff"}, {Queue: "\xff", ID: "m"},
		{Queue: "q", ID: "m", At: time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if err := s.Append(t.Context(), Record{Queue: "q", ID: "good"}, r); err == nil || !strings.HasPrefix(err.Error(), "spool: append to "+s.Dir()) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	b.wantWaiting(s)
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, cfg := range []Config{{}, {Dir: "d", MaxBytes: -1}, {Dir: "d", Keep: -1}} {
		if _, err := Open(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
	s, err := Open(Config{Dir: "d"})
	if err != nil || s.cfg.MaxBytes != DefaultMaxBytes || s.cfg.Keep != DefaultKeep || !strings.HasSuffix(s.Dir(), "/reliable/spool/d") {
		t.Errorf("%+v, %v", s, err)
	}
}
