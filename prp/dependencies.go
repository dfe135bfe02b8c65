package prp

import (
	"regexp"
	"strings"
)

var (
	noneRE = regexp.MustCompile(`(?i)^\W*(?:none|nothing|null|nil|n/a)\b`)
	wordy  = regexp.MustCompile(`[0-9_-]`)
)

// dependencies takes what can only mean a PRP out of the fields that name them.
// The first field that names one counts.
func (p *parser) dependencies() {
	for _, f := range []fields{p.front, p.header} {
		for _, key := range dependsKeys {
			if found := dependenciesOf(key, f[key]); len(found) > 0 {
				p.doc.DependsOn = found
				return
			}
		}
	}
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
			t.add(stem)
		} else if dependencyRE.MatchString(w) && !isStandard(w) {
			t.add(w)
		}
	}
}
