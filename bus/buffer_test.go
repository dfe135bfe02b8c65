package bus

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestBufferDropsTheOldestMessages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		size, put, kept int
	}{
		"too many":            {1, maxMessages + 7, maxMessages},
		"too large together":  {1 << 20, 70, 63},
		"too large by itself": {maxBytes + 1, 1, 0},
	} {
		b := newBuffer()
		payload := make([]byte, c.size)
		dropped := 0
		for n := range c.put {
			dropped += b.put(Heard{Channel: "agent:x", Payload: payload, At: time.Unix(int64(n), 0)})
		}
		if len(b.items) != c.kept || dropped != c.put-c.kept {
			t.Errorf("%s: %d kept, %d dropped", name, len(b.items), dropped)
		}
		if c.kept == 0 {
			if b.bytes != 0 || !b.oldest().IsZero() {
				t.Errorf("%s: %d bytes", name, b.bytes)
			}
			continue
		}
		if got, want := b.oldest(), time.Unix(int64(c.put-c.kept), 0); !got.Equal(want) {
			t.Errorf("%s: the oldest is %s", name, got)
		}
		for n := range c.kept {
			i, ok := b.take(t.Context())
			if want := time.Unix(int64(c.put-c.kept+n), 0); !ok || !i.At.Equal(want) || !b.oldest().Equal(want) {
				t.Fatalf("%s: message %d is that of %s, %v", name, n, i.At, ok)
			}
		}
		if b.bytes != 0 {
			t.Errorf("%s: %d bytes are left", name, b.bytes)
		}
	}
}

func TestLossesAreAllCountedAndLoggedOnceASecond(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	l := losses{log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 1000 {
		l.add(2, errors.New("broken"))
	}
	l.warned = l.warned.Add(-warnEvery)
	l.add(1, errors.New("the last"))
	if l.total.Load() != 2001 || strings.Count(log.String(), "\n") > 5 || !strings.Contains(log.String(), "in_all=2001") {
		t.Errorf("%d, logged\n%s", l.total.Load(), &log)
	}
}
