package lua

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// header is what a script says about itself.
type header struct {
	keys, args count
	returns    string
	with       []string // the parts that it shares with others
	lines      int      // of the comment
}

// count is a number of keys or arguments: exactly n, or with more "n+", at least n.
type count struct {
	n    int
	more bool
}

func (c count) String() string {
	if c.more {
		return strconv.Itoa(c.n) + " or more"
	}
	return strconv.Itoa(c.n)
}

func (c count) allows(n int) bool { return n == c.n || c.more && n > c.n }

var (
	fieldLine = regexp.MustCompile(`^-- (KEYS|ARGS|RETURNS|WITH):\s*(.*)$`)
	countText = regexp.MustCompile(`^(\d+)(\+?)(\s|$)`)
)

// parseHeader reads the comment at the top of a script. A comment line that
// starts no field continues the one before it. "-- WRITES" ends the header.
func parseHeader(lines []string) (header, error) {
	if len(lines) == 0 || !isSentence(lines[0]) {
		return header{}, errors.New("its first line must be a comment of one sentence, with its full stop")
	}
	fields, last := map[string]string{}, ""
	h := header{lines: 1}
	for _, line := range lines[1:] {
		if !strings.HasPrefix(line, "--") || strings.TrimSpace(line) == writesLine {
			break
		}
		h.lines++
		if m := fieldLine.FindStringSubmatch(line); m != nil {
			last = m[1]
			if _, twice := fields[last]; twice {
				return header{}, fmt.Errorf("its header says %s twice", last)
			}
			fields[last] = m[2]
		} else if last != "" {
			fields[last] += "\n" + strings.TrimPrefix(line, "--")
		}
	}
	h.with = strings.Fields(fields["WITH"])
	var err error
	if h.keys, err = parseCount(fields, "KEYS"); err != nil {
		return header{}, err
	}
	if h.args, err = parseCount(fields, "ARGS"); err != nil {
		return header{}, err
	}
	if h.returns = fields["RETURNS"]; h.returns == "" {
		return header{}, errors.New("its header has no \"-- RETURNS:\"")
	}
	return h, nil
}

func isSentence(line string) bool {
	text, ok := strings.CutPrefix(line, "-- ")
	return ok && !fieldLine.MatchString(line) && strings.HasSuffix(strings.TrimSpace(text), ".")
}

func parseCount(fields map[string]string, name string) (count, error) {
	m := countText.FindStringSubmatch(fields[name])
	if m == nil {
		return count{}, fmt.Errorf("its header has no \"-- %s: <number>\" (\"2\", or \"2+\" for two or more)", name)
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return count{}, fmt.Errorf("%s: %w", name, err)
	}
	return count{n: n, more: m[2] == "+"}, nil
}
