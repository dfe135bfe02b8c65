package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/term"

	"github.com/prpflow/prpflow/workflow"
)

// picture is the state of all PRPs at the foot of a terminal; moves scroll by
// above it.
type picture struct {
	out    io.Writer
	height int
	last   string
}

// most is how many PRPs a picture shows; those that move come first.
const most = 15

// above prints a line above the picture.
func (p *picture) above(line string) {
	p.wipe()
	fmt.Fprintln(p.out, line)
	p.paint()
}

// draw replaces the picture.
func (p *picture) draw(views []workflow.View) {
	views = slices.Clone(views)
	slices.SortStableFunc(views, func(a, b workflow.View) int { return rank(a) - rank(b) })
	hidden := max(0, len(views)-most)
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	for _, v := range views[:len(views)-hidden] {
		doing := v.Why
		if v.Running {
			doing = v.Agent + " works on it"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", v.ID, oneLine(v.Title, 40), v.State, oneLine(doing, 60))
	}
	_ = w.Flush()
	if hidden > 0 {
		fmt.Fprintf(&text, "and %d more\n", hidden)
	}
	p.wipe()
	p.last = text.String()
	p.paint()
}

func rank(v workflow.View) int {
	switch {
	case v.Running:
		return 0
	case v.Terminal:
		return 2
	}
	return 1
}

// wipe takes the picture off the terminal.
func (p *picture) wipe() {
	if p.height > 0 {
		fmt.Fprintf(p.out, "\x1b[%dA\x1b[J", p.height)
	}
	p.height = 0
}

// paint puts it there, each line cut to the width of the terminal.
func (p *picture) paint() {
	width := 100
	if f, ok := p.out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 10 {
			width = w
		}
	}
	for line := range strings.Lines(p.last) {
		if r := []rune(strings.TrimRight(line, "\n")); len(r) >= width {
			line = string(r[:width-2]) + "…\n"
		}
		fmt.Fprint(p.out, line)
		p.height++
	}
}
