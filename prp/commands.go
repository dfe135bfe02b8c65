package prp

import "regexp"

// What is wrong with commands that are to judge a result. A command is one line
// of shell, its continuations joined.
var (
	watchRE = regexp.MustCompile(`(?i)(?:\s--watch(?:All)?(?:\s|$)|:watch\b|\b(?:npm|yarn|pnpm|bun)\s+(?:run\s+)?(?:dev|start|serve)\b|\btail\s+-[a-z]*f\b|\bhttp\.server\b|\b(?:uvicorn|gunicorn|nodemon)\b|\bflask\s+run\b|\bmanage\.py\s+runserver\b|\bwatch\s+-n|\bdocker[- ]compose\s+up\b|[^&]&\s*$)`)
	// What ends in spite of them.
	onceRE        = regexp.MustCompile(`(?i)--watch(?:All)?=false|\bup\s+.*(?:-d\b|--detach|--wait)|\btimeout\s+\d|--abort-on-container-exit|--version|--help`)
	maskRE        = regexp.MustCompile(`\|\|\s*(?:true|:|echo|exit 0)|;\s*true\s*$|\|\s*(?:tee|head|tail|less|cat)\b|^\s*set \+e\b`)
	pipefailRE    = regexp.MustCompile(`\bpipefail\b`)
	destructiveRE = regexp.MustCompile(`(?i)\brm\s+-[a-z]*(?:r[a-z]*f|f[a-z]*r)[a-z]*\s+(?:/|~|\$|\.\s|\*|\.\./)|\bgit\s+(?:push\s.*(?:--force|-f)\b|reset\s+--hard|clean\s+-[a-z]*f)|\bdocker[- ]compose\s+down\s.*(?:-v\b|--volumes)|\bdocker\s+(?:system|volume)\s+prune|\bdrop\s+(?:database|table|schema)\b|\bmkfs\b|\bdd\s.*of=/dev/|\bkubectl\s+delete\b|\bterraform\s+destroy\b|\bflush(?:all|db)\b|\bcurl\s[^|]*\|\s*(?:sudo\s+)?(?:ba)?sh\b`)
)

// lintGate looks at what a gate would run.
func lintGate(g Gate) []Finding {
	var out []Finding
	if g.HasPlaceholder {
		out = append(out, finding("gate-placeholder", g.Line, "a command of this gate has a gap to be filled in"))
	}
	safe := pipefailRE.MatchString(g.Raw)
	for _, r := range []struct {
		rule, says string
		hit        func(command string) bool
	}{
		{"gate-never-exits", "never ends by itself", func(c string) bool { return watchRE.MatchString(c) && !onceRE.MatchString(c) }},
		{"masked-exit-status", "succeeds whatever happens", func(c string) bool {
			at := maskRE.FindString(c)
			return at != "" && (!safe || at[0] != '|' || at[1] == '|')
		}},
		{"destructive-command", "destroys what it did not make", destructiveRE.MatchString},
	} {
		for _, c := range g.Commands {
			if r.hit(c) {
				out = append(out, finding(r.rule, g.Line, "the command `"+short(c)+"` "+r.says))
				break // one of a kind is enough for a gate
			}
		}
	}
	return out
}

// short is the beginning of a command, for a sentence about it.
func short(command string) string {
	const limit = 60
	if r := []rune(clean(command)); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return clean(command)
}
