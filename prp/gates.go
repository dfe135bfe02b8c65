package prp

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	gateRE        = regexp.MustCompile(`(?i)\b(validation|verification|gates?|level \d|executable tests?|test(?:ing)? (?:commands|strategy|checklist|requirements))\b`)
	levelRE       = regexp.MustCompile(`(?i)\b(?:level|gate)\s*(\d+)`)
	placeholderRE = regexp.MustCompile(`\{[a-z_ ]+\}|\[[a-z][a-z -]+\]|<[a-z_][a-z_ -]*>`)
	shells        = map[string]bool{"bash": true, "sh": true, "shell": true, "zsh": true, "console": true, "powershell": true, "": true}
)

// gates collects the blocks of commands under headings that announce them.
func (p *parser) gates() {
	for _, b := range p.blocks {
		if !shells[b.lang] {
			continue
		}
		name, level := p.gateOver(b.line)
		if name == "" {
			continue
		}
		commands := commandsOf(b.text)
		if len(commands) == 0 {
			continue
		}
		raw := strings.Join(b.text, "\n")
		p.doc.Gates = append(p.doc.Gates, Gate{
			Name: name, Level: level, Lang: b.lang, Raw: raw, Commands: commands,
			HasPlaceholder: placeholderRE.MatchString(raw), Line: b.line + 1,
		})
	}
}

// gateOver finds the nearest heading over a line, and says what it announces:
// nothing unless it or one that it stands under is about validation.
func (p *parser) gateOver(at int) (name string, level int) {
	depth := 8
	for i := p.headBefore(at); i >= 0; i-- {
		h := p.heads[i]
		if h.level >= depth {
			continue
		}
		if depth == 8 {
			name = h.text
		}
		depth = h.level
		if h.level == 1 {
			break
		}
		if m := levelRE.FindStringSubmatch(h.text); m != nil && level == 0 {
			level, _ = strconv.Atoi(m[1])
		}
		if gateRE.MatchString(h.text) {
			return name, level
		}
		if depth <= 2 {
			break
		}
	}
	return "", 0
}

// headBefore is the index of the last heading over a line.
func (p *parser) headBefore(at int) int {
	lo, hi := 0, len(p.heads)
	for lo < hi {
		if mid := (lo + hi) / 2; p.heads[mid].line < at {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo - 1
}

// commandsOf joins continued lines and leaves comments and prompts out.
func commandsOf(lines []string) []string {
	out := []string{}
	open := false
	for _, l := range lines {
		t := strings.TrimSpace(l)
		if !open && (t == "" || strings.HasPrefix(t, "#")) {
			continue
		}
		t = strings.TrimPrefix(t, "$ ")
		continues := strings.HasSuffix(t, `\`)
		t = strings.TrimSpace(strings.TrimSuffix(t, `\`))
		if open {
			out[len(out)-1] += " " + t
		} else {
			out = append(out, t)
		}
		open = continues
	}
	return out
}
