package fsm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with a lifecycle, or odd about it.
type Problem struct {
	Line int    // counted from 1
	Text string // one sentence
}

func byLine(a, b Problem) int { return a.Line - b.Line }

// LoadError lists all that is wrong with a lifecycle, in the order of its lines.
type LoadError struct {
	File     string
	Problems []Problem
}

// Error gives a line to each problem: "file:line: text".
func (e *LoadError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = fmt.Sprintf("%s:%d: %s", e.File, p.Line, p.Text)
	}
	return strings.Join(lines, "\n")
}

// syntax are the faults that the YAML library counts from line 0; it counts all
// others from 1, and names no line where it counts 0.
var syntax = []string{
	"did not find expected node content", "did not find expected key", "did not find expected ',' or",
	"did not find expected '-' indicator", "did not find expected <",
}

// notYAML makes a problem of a YAML library's error, "yaml: line 3: …".
func notYAML(err error) Problem {
	line, text := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		digits, why, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(digits); err == nil {
			line, text = n, why
			if slices.ContainsFunc(syntax, func(s string) bool { return strings.HasPrefix(why, s) }) {
				line++
			}
		}
	}
	return Problem{line, "not YAML: " + text}
}
