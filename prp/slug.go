package prp

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
)

const maxSlug = 100

// Slug makes an id of a file's name, for documents that have none. Names whose
// letters an id cannot hold get a hash of the name, so that two of them differ.
func Slug(fileName string) string {
	stem := stemOf(fileName)
	var b strings.Builder
	lost, gap := false, false
	for _, r := range stem {
		lost = lost || (r > unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)))
		if b.Len() >= maxSlug {
			continue
		}
		if r <= unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '_') {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(unicode.ToLower(r))
			gap = false
			continue
		}
		gap = true
	}
	s := strings.Trim(b.String(), "-._")
	if s == "" {
		s = "prp"
	}
	if lost {
		sum := sha256.Sum256([]byte(stem))
		s += "-" + hex.EncodeToString(sum[:4])
	}
	return s
}
