package prp

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var (
	prefixRE = regexp.MustCompile(`(?i)^(?:PRP\s*[:—–-]|Product Requirements? Prompt(?:\s*\(PRP\))?\s*(?:[:—–-]|$)|Project Request Protocol(?:\s*\(PRP\))?\s*(?:[:—–-]|$)|PRP$|Feature\s*:)\s*`)
	// The sections of the usual templates: a document does not begin with its title there.
	templateRE = regexp.MustCompile(`(?i)^[^\pL]*(?:(?:project|feature|executive|problem|business|technical)\s+)?(?:goals?|purpose|overview|context|summary|background|introduction|why|what|metadata|objectives?|description|core principles|problem|requirements|success criteria|acceptance criteria|definition of done|dod|validation|dependencies|priority|status|task id|criteria|scope|statement)(?:\W*$|\s*[:&(/—–-]|\s+and\b)`)
	tagRE      = regexp.MustCompile(`^\[[A-Z _-]+\]\s*`)
)

// maxPrefixes is how many things in front of a title are taken away.
const maxPrefixes = 16

// title finds the title, without the id and prefixes in front of it: the first
// heading of the first level, else the name, else a heading that is no section
// of a template, else the name of the file.
func (p *parser) title() {
	take := func(text string, at Span) bool {
		if p.doc.Title = p.bare(text); p.doc.Title == "" {
			return false
		}
		p.doc.Spans.Title = at
		return true
	}
	fromHeading := func(from int) bool {
		for _, h := range p.heads[from:] {
			if h.level < boldLevel && (h.level == 1 || !templateRE.MatchString(h.text)) && take(h.text, p.lines[h.line].span) {
				return true
			}
		}
		return false
	}
	first := slices.IndexFunc(p.heads, func(h heading) bool { return h.level == 1 })
	if first >= 0 && fromHeading(first) {
		return
	}
	named := p.first(titleKeys)
	if take(named.text, p.spanOf(named)) || fromHeading(0) {
		return
	}
	p.doc.untitled = true
	if p.doc.Title = clean(p.bare(stemOf(p.name))); p.doc.Title == "" {
		p.doc.Title = clean(stemOf(p.name))
	}
}

// bare strips what stands in front of a title, and remembers its id.
func (p *parser) bare(title string) string {
	title = unwrap(strings.TrimSpace(title))
	for range maxPrefixes {
		before := len(title)
		title = strings.TrimLeftFunc(title, isOrnament)
		title = title[prefixLen(tagRE, title):]
		if id, rest, ok := cutID(title); ok {
			p.ids = append(p.ids, id)
			title = strings.TrimLeft(rest, " -:—–")
		}
		title = title[prefixLen(prefixRE, title):]
		if len(title) == before {
			break
		}
	}
	return strings.TrimSpace(title)
}

// cutID takes an id off the front of a title: "PRP-7 - Title".
func cutID(title string) (id, rest string, ok bool) {
	m := inTitleRE.FindStringSubmatch(title)
	if m == nil || isStandard(m[1]+m[2]) {
		return "", "", false
	}
	found := m[1] + m[2]
	id = tidy(found)
	return id, title[len(found):], id != ""
}

func prefixLen(re *regexp.Regexp, s string) int {
	if at := re.FindStringIndex(s); at != nil {
		return at[1]
	}
	return 0
}

// unwrap takes emphasis or backticks off a title that is in them as a whole.
func unwrap(s string) string {
	for _, mark := range []string{"**", "`"} {
		if inner, ok := strings.CutPrefix(s, mark); ok && strings.HasSuffix(inner, mark) && strings.Count(inner, mark) == 1 {
			s = strings.TrimSpace(strings.TrimSuffix(inner, mark))
		}
	}
	return s
}

// isOrnament tells emoji, with what belongs to them, and space.
func isOrnament(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.So, r) || r == '\ufe0f' || r == '\u200d' || (r >= 0x1f3fb && r <= 0x1f3ff)
}
