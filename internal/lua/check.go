package lua

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const (
	maxLines   = 60
	writesLine = "-- WRITES"
)

var (
	refusal     = regexp.MustCompile(`redis\.error_reply|\berror\s*\(|\bassert\s*\(|\breturn\s*\{?\s*-\s*\d|\breturn\s*\{\s*err\s*=`)
	mayFail     = regexp.MustCompile(`redis\.call\s*\(\s*['"](?i:S?PUBLISH)['"]`)
	negative    = regexp.MustCompile(`\breturn\s*\{?\s*(-\d+)`)
	redisCall   = regexp.MustCompile(`redis\.p?call\s*\(\s*(['"](\w+)['"])?`)
	literalKey  = regexp.MustCompile(`\bKEYS\s*\[\s*(\d+)\s*\]`)
	literalArg  = regexp.MustCompile(`\bARGV\s*\[\s*(\d+)\s*\]`)
	mentionKeys = regexp.MustCompile(`\bKEYS\b`)
	mentionArgs = regexp.MustCompile(`\bARGV\b`)
)

// reads are the commands that a check may use.
var reads = words(`EXISTS GET GETRANGE HEXISTS HGET HGETALL HKEYS HLEN HMGET HSTRLEN HVALS LINDEX LLEN LPOS LRANGE
	MGET PTTL SCARD SISMEMBER SMEMBERS SMISMEMBER STRLEN TIME TTL TYPE XLEN XRANGE ZCARD ZCOUNT ZMSCORE ZRANGE
	ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANGEBYSCORE ZREVRANK ZSCORE`)

func words(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(text) {
		set[w] = true
	}
	return set
}

// linesOf splits a source, and refuses what the checks could not read.
func linesOf(source string) ([]string, error) {
	lines := strings.Split(strings.TrimRight(source, "\n"), "\n")
	if len(lines) > maxLines {
		return nil, fmt.Errorf("it has %d lines, and %d is the limit", len(lines), maxLines)
	}
	if strings.Contains(source, "--[[") {
		return nil, errors.New("it has a block comment, which hides code from its checks")
	}
	return lines, nil
}

// check holds the lines of a script, its parts included, to its header.
func check(h header, lines []string) error {
	above, below, err := split(lines)
	if err != nil {
		return err
	}
	body := append(append([]string{}, above...), below...)
	return errors.Join(
		checkReads(above), checkRefusals(below), checkNews(body), checkCodes(body, h.returns),
		checkCount("KEYS", body, h.keys, literalKey, mentionKeys),
		checkCount("ARGV", body, h.args, literalArg, mentionArgs))
}

// split cuts the code, without its comments, at the line "-- WRITES".
func split(lines []string) (above, below []string, err error) {
	cut := len(lines)
	for i, line := range lines {
		if strings.TrimSpace(line) == writesLine {
			if cut != len(lines) {
				return nil, nil, errors.New("it says \"-- WRITES\" twice")
			}
			cut = i
		}
	}
	for i, line := range lines {
		if i < cut {
			above = append(above, stripComment(line))
		} else {
			below = append(below, stripComment(line))
		}
	}
	return above, below, nil
}

// stripComment cuts a line at "--" outside of a string.
func stripComment(line string) string {
	var quote byte
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '-' && strings.HasPrefix(line[i:], "--"):
			return line[:i]
		}
	}
	return line
}

func checkReads(above []string) error {
	for _, m := range redisCall.FindAllStringSubmatch(strings.Join(above, "\n"), -1) {
		if m[1] == "" {
			return errors.New("above \"-- WRITES\" it calls a command that is not spelled out")
		}
		if !reads[strings.ToUpper(m[2])] {
			return fmt.Errorf("above \"-- WRITES\" it calls %s, which is not known to only read", m[2])
		}
	}
	return nil
}

func checkRefusals(below []string) error {
	if m := refusal.FindString(strings.Join(below, "\n")); m != "" {
		return fmt.Errorf("below \"-- WRITES\" it refuses (%q), and Redis does not undo", m)
	}
	return nil
}

// checkNews wants news to decide nothing: a user may have the right to write and none
// to publish, and what was written is not undone.
func checkNews(body []string) error {
	if m := mayFail.FindString(strings.Join(body, "\n")); m != "" {
		return fmt.Errorf("%s can fail where the writes before it did not: call it with redis.pcall", m)
	}
	return nil
}

// checkCodes wants each negative answer explained in the header.
func checkCodes(body []string, returns string) error {
	for _, m := range negative.FindAllStringSubmatch(strings.Join(body, "\n"), -1) {
		if !regexp.MustCompile(regexp.QuoteMeta(m[1]) + `\b`).MatchString(returns) {
			return fmt.Errorf("it returns %s, which \"-- RETURNS:\" does not explain", m[1])
		}
	}
	return nil
}

// checkCount compares the highest index that the body spells out with the
// header. A body that walks the list (a loop, #, unpack) may spell out fewer.
func checkCount(list string, body []string, said count, literal, mention *regexp.Regexp) error {
	code := strings.Join(body, "\n")
	spelled := literal.FindAllStringSubmatch(code, -1)
	highest := 0
	for _, m := range spelled {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return fmt.Errorf("%s[%s]: %w", list, m[1], err)
		}
		highest = max(highest, n)
	}
	walks := len(mention.FindAllString(code, -1)) > len(spelled)
	switch {
	case highest > said.n:
		return fmt.Errorf("it uses %s[%d], but its header says %s", list, highest, said)
	case said.more && !walks:
		return fmt.Errorf("its header says %s, but it never walks %s", said, list)
	case !walks && highest < said.n:
		return fmt.Errorf("its header says %s, but the highest it uses is %s[%d]", said, list, highest)
	}
	return nil
}
