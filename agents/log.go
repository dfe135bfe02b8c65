package agents

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"
)

// Limits of a run's log, in bytes.
const (
	MaxLog     = 256 << 10
	MaxLogLine = 16 << 10
)

// Log keeps what a run says: the head and the tail of it. It takes lines of
// any length and any number of writers.
type Log struct {
	mu      sync.Mutex
	head    []byte
	tail    []byte
	lost    int64 // bytes between head and tail
	line    int   // length of the line being written
	cut     int64 // bytes of it that were left out
	written int64
	spoke   time.Time
}

// logHalf leaves room for the mark between head and tail.
const logHalf = (MaxLog - 256) / 2

// Write takes what was said; it never fails.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written += int64(len(p))
	l.spoke = time.Now()
	for rest := p; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			l.text(rest)
			break
		}
		l.text(rest[:end])
		l.newline()
		rest = rest[end+1:]
	}
	return len(p), nil
}

// Printf writes a line.
func (l *Log) Printf(format string, args ...any) {
	fmt.Fprintf(l, format+"\n", args...)
}

// text takes a piece of a line, as far as the line may still grow.
func (l *Log) text(p []byte) {
	keep := min(len(p), MaxLogLine-l.line)
	l.cut += int64(len(p) - keep)
	l.line += keep
	l.put(p[:keep])
}

func (l *Log) newline() {
	if l.cut > 0 {
		l.put(fmt.Appendf(nil, " [... %d bytes of this line cut]", l.cut))
	}
	l.put([]byte{'\n'})
	l.line, l.cut = 0, 0
}

func (l *Log) put(p []byte) {
	if room := logHalf - len(l.head); room > 0 {
		n := min(room, len(p))
		l.head = append(l.head, p[:n]...)
		p = p[n:]
	}
	l.tail = append(l.tail, p...)
	// Cutting at twice the size moves each byte once, not at every write.
	if len(l.tail) > 2*logHalf {
		l.trim()
	}
}

func (l *Log) trim() {
	if over := len(l.tail) - logHalf; over > 0 {
		l.lost += int64(over)
		l.tail = append(l.tail[:0], l.tail[over:]...)
	}
}

// Spoke tells when something was said last; zero if nothing was.
func (l *Log) Spoke() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spoke
}

// Written counts the bytes that were said, kept or not.
func (l *Log) Written() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written
}

// String gives the log as it may be shown: at most MaxLog bytes, cuts marked,
// nothing in it that would upset a terminal.
func (l *Log) String() string {
	l.mu.Lock()
	l.trim()
	text := string(l.head)
	if l.lost > 0 {
		text += fmt.Sprintf("\n[... %d bytes cut ...]\n", l.lost)
	}
	text += string(l.tail)
	if l.cut > 0 {
		text += fmt.Sprintf(" [... %d bytes of this line cut]", l.cut)
	}
	l.mu.Unlock()
	return Printable(text)
}

// escapes are the sequences by which a program commands a terminal: CSI, OSC
// and the like up to their end, and those of two characters.
var escapes = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])")

// Printable leaves out of a text what would upset a terminal.
func Printable(text string) string {
	text = escapes.ReplaceAllString(strings.ToValidUTF8(text, "?"), "")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return '\n'
		case unicode.IsControl(r) || Bidi(r):
			return -1
		}
		return r
	}, text)
}

// Bidi tells the characters that turn the direction of writing, with which a
// text can show itself as another one.
func Bidi(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
