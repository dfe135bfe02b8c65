package prp

import (
	"regexp"
	"strings"
)

var (
	// Sections that name what a PRP waits for, and what it does not.
	dependsHeadRE = regexp.MustCompile(`(?i)^(?:(?:prp|task|upstream|internal)\s+)?(?:dependencies|dependency|depends on|requires|prerequisites?(?: prps?)?|blocked by|upstream|dependências|dependencias|依赖|依賴)\b`)
	otherWayRE    = regexp.MustCompile(`(?i)^\W*(?:downstream|blocks|enables|enabled|dependents|related|feeds|children|this (?:prp|task) (?:blocks|enables)|external|required by|used by|unblocks|parallel)\b`)
	sectionIDRE   = regexp.MustCompile(`^(?:PRP-[A-Za-z0-9][A-Za-z0-9._-]*|` + prpShape + `|` + planShape + `)$`)
	siblingRE     = regexp.MustCompile(`(?i)^(?:prp|\d{1,4}[-_.])`)
	noneRE        = regexp.MustCompile(`(?i)^\W*(?:none|nothing|null|nil|n/a)\b`)
	wordy         = regexp.MustCompile(`[0-9_-]`)
)

// dependencies takes what can only mean a PRP out of the fields that name them.
// The first field that names one counts.
func (p *parser) dependencies() {
	for _, f := range p.carriers() {
		for _, key := range dependsKeys {
			if found := dependenciesOf(key, f[key]); len(found) > 0 {
				p.doc.DependsOn, p.doc.Spans.DependsOn = found, p.spanOf(f[key])
				return
			}
			if noneRE.MatchString(f[key].text) {
				return // it says so
			}
		}
	}
	p.doc.DependsOn, p.fromSection = p.sectionDependencies(), true
}

// sectionDependencies reads the sections that say what the PRP waits for. They
// name packages and services too, so only ids in the usual shapes count.
func (p *parser) sectionDependencies() []string {
	out := tokens{seen: map[string]bool{}, list: []string{}}
	to := 0
	for i, h := range p.heads {
		name := strings.TrimSpace(h.text[prefixLen(numberRE, h.text):])
		if !dependsHeadRE.MatchString(name) || otherWayRE.MatchString(name) {
			continue
		}
		skip, other := max(to, h.line+1), false
		to = max(to, h.end)
		next := i + 1
		for at := skip; at < h.end; at++ {
			l := p.lines[at]
			for next < len(p.heads) && p.heads[next].line < at {
				next++
			}
			if l.head && next < len(p.heads) && p.heads[next].line == at {
				other = otherWayRE.MatchString(p.heads[next].text)
				continue
			}
			if l.fenced || other || otherWayRE.MatchString(strings.TrimLeft(l.text, " \t-*+")) {
				continue
			}
			out.ids(l.text)
		}
	}
	return out.list
}

// dependenciesOf reads one field. In prose only ids and names of documents
// count; what the author wrote as a list names PRPs, each item one.
func dependenciesOf(key string, v value) []string {
	out := tokens{seen: map[string]bool{}, list: []string{}}
	items, list := v.items, v.list
	if !list {
		items, list = bracketed(v.text)
	}
	if !list {
		items = []string{v.text}
	}
	for _, item := range items {
		item = strings.Trim(item, "\"'`* ")
		switch {
		case noneRE.MatchString(item):
		case list && isSlug(key, item):
			out.add(strings.TrimSuffix(item, ".md"))
		default:
			out.find(item)
		}
	}
	return out.list
}

// isSlug tells whether an item of a list is the name of a PRP. Fields called
// dependencies list packages too: there a mere word is taken for one.
func isSlug(key, item string) bool {
	stem := strings.TrimSuffix(item, ".md")
	if CheckID(stem) != nil || isStandard(stem) {
		return false
	}
	return key == "depends on" || key == "depends" || stem != item || wordy.MatchString(stem)
}

// bracketed reads a list that was written as one in a bold line: ["PRP-1", b].
func bracketed(text string) ([]string, bool) {
	inner, ok := strings.CutPrefix(text, "[")
	if !ok || !strings.HasSuffix(inner, "]") || strings.ContainsAny(inner, "[(") {
		return nil, false
	}
	return strings.Split(strings.TrimSuffix(inner, "]"), ","), true
}

// tokens collects dependencies, each once.
type tokens struct {
	seen map[string]bool
	list []string
}

func (t *tokens) add(token string) {
	if token != "" && !t.seen[token] {
		t.seen[token] = true
		t.list = append(t.list, token)
	}
}

// find takes ids and names of documents out of prose.
func (t *tokens) find(text string) {
	t.words(text, func(w string) bool { return dependencyRE.MatchString(w) && !isStandard(w) }, func(string) bool { return true })
}

// ids takes out of prose what can be nothing but a PRP.
func (t *tokens) ids(text string) {
	t.words(text, sectionIDRE.MatchString, siblingRE.MatchString)
}

func (t *tokens) words(text string, isID, isFile func(string) bool) {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	})
	for i, w := range words {
		w = strings.Trim(w, ".-")
		if strings.EqualFold(w, "PRP") && i+1 < len(words) { // "PRP 2.3"
			if next := strings.Trim(words[i+1], ".-"); next != "" && next[0] >= '0' && next[0] <= '9' {
				w = "PRP-" + next
			}
		}
		if CheckID(w) != nil {
			continue
		}
		if stem, ok := strings.CutSuffix(w, ".md"); ok {
			if isFile(stem) {
				t.add(stem)
			}
		} else if isID(w) {
			t.add(w)
		}
	}
}
