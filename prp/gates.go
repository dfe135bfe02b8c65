package prp

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	gateRE        = regexp.MustCompile(`(?i)\b(validation|verification|gates?|level \d|executable tests?|test(?:ing)? (?:commands|strategy|checklist|requirements))\b|valida[çc][ãa]o|validaci[óo]n|验证|驗證|検証|검증`)
	levelRE       = regexp.MustCompile(`(?i)\b(?:level|gate)\s*(\d{1,3})\b`)
	placeholderRE = regexp.MustCompile(`(?:^|[^$])\{[a-z_ ]+\}|\[[a-z][a-z -]+\]|<[a-z_][a-z_ -]*>`)
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
			Span: Span{p.lines[b.line].span.Start, p.lines[b.last].span.End},
		})
	}
}

// gateOver finds the nearest heading over a line, and says what it announces:
// nothing unless it or one that it stands under is about validation. A title of
// the first level is about the whole document.
func (p *parser) gateOver(at int) (name string, level int) {
	nearest := p.headBefore(at)
	for i := nearest; i >= 0 && p.heads[i].level > 1; i = p.heads[i].parent {
		h := p.heads[i]
		if m := levelRE.FindStringSubmatch(h.text); m != nil && level == 0 {
			level, _ = strconv.Atoi(m[1]) // three digits at most
		}
		if gateRE.MatchString(h.text) {
			return p.heads[nearest].text, level
		}
	}
	return "", 0
}

// commandsOf joins continued lines and leaves comments and prompts out.
func commandsOf(lines []string) []string {
	out := []string{}
	var parts []string // of the command that goes on
	for _, l := range lines {
		t := strings.TrimSpace(l)
		if len(parts) == 0 && (t == "" || strings.HasPrefix(t, "#")) {
			continue
		}
		t = strings.TrimPrefix(t, "$ ")
		head, continues := strings.CutSuffix(t, `\`)
		parts = append(parts, strings.TrimSpace(head))
		if !continues {
			out = append(out, strings.TrimSpace(strings.Join(parts, " ")))
			parts = parts[:0]
		}
	}
	if len(parts) > 0 {
		out = append(out, strings.TrimSpace(strings.Join(parts, " ")))
	}
	return out
}
