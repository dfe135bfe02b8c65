package spool

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTornTailIsCutWhereverItWasTorn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.append(b.open(Config{}), "1", "2", "3")
	whole := b.read(logName)
	third := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for end := third + 1; end < len(whole); end++ {
		for _, first := range []string{"append", "drain", "list"} {
			b := newBench(t)
			b.write(logName, whole[:end])
			s, want := b.open(Config{}), []string{"1", "2"}
			switch first {
			case "append":
				b.append(s, "4")
				want = append(want, "4")
			case "list":
				b.wantWaiting(s, want...)
			}
			b.want(first, b.drain(b.open(Config{})), want...)
			if got := b.damaged(); got != string(whole[third:end]) {
				t.Fatalf("cut at %d, %s: kept %q", end, first, got)
			}
			if !strings.Contains(b.log.String(), "a spool is damaged") {
				t.Fatalf("cut at %d, %s: no warning", end, first)
			}
		}
	}
}

func TestFlippedBitCutsTheLogInFrontOfIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.append(b.open(Config{}), "1", "2", "3")
	whole := b.read(logName)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	at := 0
	for n, line := range lines[:len(lines)-1] { // the header first
		for i := range line {
			b := newBench(t)
			broken := bytes.Clone(whole)
			broken[at+i] ^= 1
			b.write(logName, broken)
			s := b.open(Config{})
			b.append(s, "4")
			b.want("drained", b.drain(s), append([]string{"1", "2", "3"}[:max(n-1, 0)], "4")...)
			if got := b.damaged(); got != string(broken[at:]) {
				t.Fatalf("flipped at %d: kept %q", at+i, got)
			}
		}
		at += len(line)
	}
}

func TestGarbageIsKeptAside(t *testing.T) {
	t.Parallel()
	line := func(v any) string {
		raw, err := encode(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	head := line(header{ID: rand.Text()})
	for name, c := range map[string]struct{ content, damaged string }{
		"an empty file":             {"", ""},
		"zeros":                     {strings.Repeat("\x00", 5000), strings.Repeat("\x00", 5000)},
		"zeros behind the header":   {head + "\x00\x00", "\x00\x00"},
		"text":                      {"hello\n", "hello\n"},
		"a record without a header": {line(3), line(3)},
		"a line that is no record":  {head + line(3), line(3)},
		"a short id":                {line(header{ID: "x"}), line(header{ID: "x"})},
		"no hex":                    {head + "zzzzzzzz {}\n", "zzzzzzzz {}\n"},
		"an empty line":             {head + "\n", "\n"},
	} {
		b := newBench(t)
		b.write(logName, []byte(c.content))
		s := b.open(Config{})
		b.want(name, b.drain(s))
		if s.log.exists() {
			t.Errorf("%s: the log is still there", name)
		}
		b.append(s, "1")
		b.want(name, b.drain(s), "1")
		if got := b.damaged(); got != c.damaged {
			t.Errorf("%s: kept %q", name, got)
		}
		b.append(s, "2", "3")
	}
}

func TestDamagedFilesHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{})
	fixed := s.now()
	s.now = (&clock{fixed}).now
	for _, content := range []string{"one\n", "two\n", "three\n"} {
		b.write(logName, []byte(content))
		b.drain(s)
	}
	if got := b.damaged(); len(got) != len("one\ntwo\nthree\n") {
		t.Errorf("kept %q", got)
	}
}

func TestDamagedStaleFileIsCutAsWell(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.write(staleName, []byte("garbage"))
	s := b.open(Config{})
	b.append(s, "1")
	b.want("all", b.drainAll(s), "1")
	if got := b.damaged(); got != "garbage" {
		t.Errorf("kept %q", got)
	}
}

func TestDamageDoesNotBringBackWhatIsDrained(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{})
	b.must(s.Append(t.Context(), records(slices.Repeat([]string{"drained"}, batchRecords)...)...))
	b.append(s, "1", "2")
	calls := 0
	_, err := s.Drain(t.Context(), func(context.Context, []Record) error {
		if calls++; calls == 2 {
			return errors.New("broken")
		}
		return nil
	})
	if err == nil {
		t.Error("no error")
	}
	content := b.read(logName)
	b.write(logName, content[:len(content)-1])
	b.wantWaiting(b.open(Config{}), "1")
	b.want("drained", b.drain(b.open(Config{})), "1")
}

func TestNothingIsSetAsideBehindDamage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{Keep: time.Hour})
	for _, id := range []string{"old 1", "old 2"} {
		r := records(id)[0]
		r.At = time.Now().Add(-2 * time.Hour)
		b.must(s.Append(t.Context(), r))
		if id == "old 2" {
			b.write(staleName, append(b.read(staleName), "garbage"...))
		}
		b.want("drained", b.drain(s))
	}
	b.want("all", b.drainAll(s), "old 1", "old 2")
}

// What happens to the log while a batch is being pushed: nothing is removed
// afterwards that was not pushed.
func TestRemovalTouchesOnlyWhatWasPushed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile func(b *bench, other *Spool)
		want      []string
	}{
		"its end is cut off": {func(b *bench, other *Spool) {
			content := b.read(logName)
			b.write(logName, content[:len(content)-3])
			b.wantWaiting(other, "1", "2")
		}, []string{"1", "2", "3", "1", "2"}},
		"its end is cut off and written on": {func(b *bench, other *Spool) {
			content := b.read(logName)
			b.write(logName, content[:len(content)-3])
			b.append(other, "4") // as long as what was cut off
		}, []string{"1", "2", "3", "1", "2", "4"}},
		"it is replaced": {func(b *bench, other *Spool) {
			b.must(os.RemoveAll(filepath.Join(b.dir, logName)))
			b.append(other, "a", "b", "c", "d")
		}, []string{"1", "2", "3", "a", "b", "c", "d"}},
	} {
		b := newBench(t)
		s, other := b.open(Config{}), b.open(Config{})
		b.append(s, "1", "2", "3")
		var p pushed
		_, err := s.Drain(t.Context(), func(ctx context.Context, list []Record) error {
			if len(p.ids) == 0 {
				c.meanwhile(b, other)
			}
			return p.push(ctx, list)
		})
		b.must(err)
		b.want(name, p.ids, c.want...)
	}
}

// A position that cannot be right pushes again what was drained: the receiver
// knows it.
func TestDamagedPositionLosesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{})
	b.append(s, "1", "2", "3")
	id := strings.Split(string(b.read(logName)), `"`)[3]
	line := func(p position) []byte {
		raw, err := encode(p)
		b.must(err)
		return raw
	}
	size := int64(len(b.read(logName)))
	for name, content := range map[string][]byte{
		"nothing": {}, "garbage": []byte("garbage\n"), "of another log": line(position{"other", size}),
		"inside a record": line(position{id, size - 5}), "behind the end": line(position{id, size + 1}),
		"inside the header": line(position{id, 3}), "negative": line(position{id, -3}),
	} {
		b.write("log.position", content)
		t.Log(name)
		b.wantWaiting(s, "1", "2", "3")
	}
	b.write("log.position", line(position{id, size}))
	b.wantWaiting(s)
}

// Another process cuts the log in front of what this one has checked, and writes
// on past it.
func TestCheckedPartMayHaveBeenCutByAnotherProcess(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.open(Config{})
	b.append(s, "1", "2", "3")
	content := b.read(logName)
	content[bytes.Index(content, []byte(`"id":"2"`))] ^= 1
	b.write(logName, content)
	other := b.open(Config{})
	b.must(other.Append(t.Context(), Record{Queue: "q", ID: "long", Body: bytes.Repeat([]byte("x"), 1000)}))
	b.append(s, "4")
	b.want("drained", b.drain(s), "1", "long", "4")
}
