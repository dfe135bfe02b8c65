package workflow

import "unicode/utf8"

// What a record and its history keep of a text, and of a list of them. The
// whole is in the log of the run.
const (
	textKept    = 4 << 10
	reasonsKept = 32
)

const cutMark = " … (cut)"

func cut(text string) string {
	if len(text) <= textKept {
		return text
	}
	end := textKept - len(cutMark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + cutMark
}

func cutAll(texts []string) []string {
	kept := make([]string, 0, min(len(texts), reasonsKept))
	for _, text := range texts[:min(len(texts), reasonsKept)] {
		kept = append(kept, cut(text))
	}
	return kept
}
