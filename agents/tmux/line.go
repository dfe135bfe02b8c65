package tmux

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxLine is the most bytes that a line may have: with Enter it is 4096, and a
// terminal in line mode drops the rest.
const MaxLine = 4095

// clean reduces a line to text: an escape sequence could end the paste and press
// keys.
func clean(line string) (string, error) {
	if !utf8.ValidString(line) {
		return "", errors.New("the line is not UTF-8; write the text to a file and send the path")
	}
	text := strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u0085' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, line)
	switch {
	case strings.TrimSpace(text) == "":
		return "", errors.New("the line is empty")
	case len(text) > MaxLine:
		return "", fmt.Errorf("the line has %d bytes, at most %d are allowed; write the text to a file and send the path", len(text), MaxLine)
	}
	return text, nil
}
