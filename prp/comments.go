package prp

import "strings"

// comments blanks HTML comments, line by line. What is between backticks is no
// comment, and an opener that nothing closes hides nothing.
type comments struct {
	last int // last line that has a closer
	open bool
}

func newComments(lines []line) comments {
	c := comments{last: -1}
	for i, l := range lines {
		if strings.Contains(l.text, "-->") {
			c.last = i
		}
	}
	return c
}

// strip gives what is seen of line i.
func (c *comments) strip(i int, text string) string {
	if !c.open && (i > c.last || !strings.Contains(text, "<!--")) {
		return text
	}
	var seen strings.Builder
	ticks := 0
	for text != "" {
		if c.open {
			_, rest, closed := strings.Cut(text, "-->")
			if !closed {
				break
			}
			c.open, text = false, rest
			continue
		}
		before, rest, found := strings.Cut(text, "<!--")
		seen.WriteString(before)
		ticks += strings.Count(before, "`")
		if !found {
			break
		}
		// On the last line that has a closer only one further right counts.
		if ticks%2 == 1 || (i >= c.last && strings.LastIndex(rest, "-->") < 0) {
			seen.WriteString("<!--")
			text = rest
			if i >= c.last && ticks%2 == 0 {
				seen.WriteString(rest)
				break
			}
			continue
		}
		c.open, text = true, rest
	}
	return seen.String()
}
