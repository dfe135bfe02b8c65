package reliable

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// decodePlain reads an envelope that Encode wrote and in which nothing is escaped,
// as most are, and gives up on every other one: it is several times as fast as
// decode, which it agrees with.
func decodePlain(raw string) (m Message, ok bool) {
	if strings.IndexByte(raw, '\\') >= 0 || !utf8.ValidString(raw) {
		return m, false
	}
	rest, ok := strings.CutPrefix(raw, `{"id":"`)
	if !ok {
		return m, false
	}
	if m.ID, rest, ok = strings.Cut(rest, `","attempt":`); !ok || !plain(m.ID) || checkID(m.ID) != nil {
		return m, false
	}
	digits, rest, ok := strings.Cut(rest, `,"at":`)
	if m.Attempt, ok = natural(digits, ok); !ok {
		return m, false
	}
	digits, rest, ok = strings.Cut(rest, `,"body":"`)
	at, ok := natural(digits, ok)
	if !ok {
		return m, false
	}
	if at != 0 {
		m.At = time.UnixMilli(int64(at))
	}
	body, ok := strings.CutSuffix(rest, `"}`)
	if !ok || !plain(body) {
		return m, false
	}
	m.Body = []byte(body)
	return m, true
}

// natural reads a number as JSON writes it.
func natural(digits string, ok bool) (int, bool) {
	if !ok || len(digits) == 0 || len(digits) > 15 || digits[0] == '0' && len(digits) > 1 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	return int(n), err == nil
}

// plain says that a text stands for itself in JSON.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] == '"' {
			return false
		}
	}
	return true
}
