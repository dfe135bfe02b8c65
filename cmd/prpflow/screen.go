package main

import (
	"bytes"
	"io"
	"unicode"
	"unicode/utf8"

	"github.com/prpflow/prpflow/agents"
)

// screen is the one way to a terminal: it leaves out of a text what would command it,
// whoever wrote the text, and remembers the first write that failed.
type screen struct {
	to     io.Writer
	failed error
}

// Write makes a text printable. Each line is written whole, as all that print here do.
func (s *screen) Write(text []byte) (int, error) {
	out := text
	if !printable(text) {
		out = []byte(agents.Printable(string(text)))
	}
	if _, err := s.raw().Write(out); err != nil {
		return 0, err
	}
	return len(text), nil
}

func printable(text []byte) bool {
	if !utf8.Valid(text) {
		return false
	}
	return bytes.IndexFunc(text, commands) < 0
}

// commands tells characters that a terminal obeys instead of showing them.
func commands(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\t' || agents.Bidi(r)
}

// raw writes as it is: the live picture, and JSON, which has such characters escaped.
func (s *screen) raw() io.Writer { return rawScreen{s} }

type rawScreen struct{ *screen }

func (s rawScreen) Write(text []byte) (int, error) {
	n, err := s.to.Write(text)
	if err != nil && s.failed == nil {
		s.failed = err
	}
	return n, err
}

// escaped writes the characters of a JSON text that a terminal obeys as JSON does it.
func escaped(text []byte) []byte {
	if bytes.IndexFunc(text, commands) < 0 {
		return text
	}
	var b bytes.Buffer
	for _, r := range string(text) {
		if commands(r) {
			const hex = "0123456789abcdef"
			b.WriteString("\\u")
			for shift := 12; shift >= 0; shift -= 4 {
				b.WriteByte(hex[r>>shift&15])
			}
			continue
		}
		b.WriteRune(r)
	}
	return b.Bytes()
}
