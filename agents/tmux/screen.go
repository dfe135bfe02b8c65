package tmux

import (
	"strings"
	"unicode"
)

// mark is the end of a line without its spaces, to be found on a screen without
// spaces and frames: programs break lines wherever they like.
type mark string

// markLength is long enough to distinguish lines, in characters.
const markLength = 24

func markOf(line string) mark {
	runes := []rune(bare(line))
	return mark(runes[max(0, len(runes)-markLength):])
}

// place is the position of a mark on a screen.
type place struct {
	times int // how often the mark occurs
	below int // the number of rows with text below the last one
}

// on finds the mark. The place changes when the program accepts the line: it writes
// something below it, repeats it or clears it. A line break in an input field does
// not change it, since that only adds a row without text.
func (m mark) on(screen string) place {
	var text strings.Builder
	var starts []int // of the rows with text
	for row := range strings.Lines(screen) {
		if b := bare(row); b != "" {
			starts = append(starts, text.Len())
			text.WriteString(b)
		}
	}
	p := place{times: strings.Count(text.String(), string(m))}
	if p.times == 0 {
		return p
	}
	end := strings.LastIndex(text.String(), string(m)) + len(m)
	for _, start := range starts {
		if start >= end {
			p.below++
		}
	}
	return p
}

// bare removes spaces and box-drawing characters.
func bare(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r >= 0x2500 && r <= 0x257f {
			return -1
		}
		return r
	}, text)
}
