package prp

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

const idPattern = `[A-Za-z]{1,12}\d*[-.]\d[A-Za-z0-9]*(?:[.-]\d[A-Za-z0-9]*)*|P\d+(?:\.[A-Z]\d+)+`

var (
	idRE         = regexp.MustCompile(`^(?:` + idPattern + `)$`)
	leadingIDRE  = regexp.MustCompile(`^(?i:(PRP[-_ ]?\d[A-Za-z0-9.]*|[A-Z]{1,12}\d*-\d[A-Za-z0-9.]*|P\d+(?:\.[A-Z]\d+)+))(?:$|[^A-Za-z0-9.])`)
	bareNumberRE = regexp.MustCompile(`^(\d{1,4})(?:[-_ .]|$)`)
	dependencyRE = regexp.MustCompile(`[A-Za-z0-9._-]+\.md\b|\bPRP-[A-Za-z0-9][A-Za-z0-9._-]*|\b(?:` + idPattern + `)`)
	checkRE      = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)
	prefixRE     = regexp.MustCompile(`(?i)^(?:PRP\s*[:—–-]|Product Requirements? Prompt(?:\s*\(PRP\))?\s*:|Project Request Protocol\s*:|Feature\s*:)\s*`)
	tagRE        = regexp.MustCompile(`^\[[A-Z _-]+\]\s*`)
)

// CheckID says whether an id can be used: in URLs, on the command line, in keys.
func CheckID(id string) error {
	if !checkRE.MatchString(id) {
		return fmt.Errorf("the id %q cannot be used: an id is 1 to 128 of A-Z a-z 0-9 . _ : -", id)
	}
	return nil
}

// Slug makes an id of a file's name, for documents that have none.
func Slug(fileName string) string {
	stem := strings.TrimSuffix(filepath.Base(fileName), filepath.Ext(fileName))
	var b strings.Builder
	for _, r := range stem {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '_'):
			b.WriteRune(unicode.ToLower(r))
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 100 {
			break
		}
	}
	if s := strings.Trim(b.String(), "-._"); s != "" {
		return s
	}
	return "prp"
}

// title finds the title, without the id and prefixes in front of it.
func (p *parser) title() {
	for _, h := range p.heads {
		if h.level != 1 {
			continue
		}
		if t := p.bare(h.text); t != "" {
			p.doc.Title = t
			return
		}
	}
	p.doc.Title = p.bare(p.first("title", "name"))
}

// bare strips what stands in front of a title, and remembers its id.
func (p *parser) bare(title string) string {
	title = strings.Trim(strings.TrimSpace(title), "*`")
	for {
		before := title
		title = strings.TrimLeftFunc(title, func(r rune) bool { return unicode.IsSymbol(r) || unicode.IsSpace(r) })
		title = tagRE.ReplaceAllString(title, "")
		if m := leadingIDRE.FindStringSubmatch(title); m != nil {
			p.ids = append(p.ids, m[1])
			title = strings.TrimLeft(title[len(m[1]):], " -:—–")
		}
		title = prefixRE.ReplaceAllString(title, "")
		if title == before {
			return strings.TrimSpace(title)
		}
	}
}

// identity finds the id: front matter and header, file name, title.
func (p *parser) identity() {
	stem := strings.TrimSuffix(filepath.Base(p.name), filepath.Ext(p.name))
	candidates := []string{p.first("prp id", "id", "task id", "work item")}
	if m := leadingIDRE.FindStringSubmatch(stem); m != nil {
		candidates = append(candidates, m[1])
	}
	if m := bareNumberRE.FindStringSubmatch(stem); m != nil && len(stem) > len(m[1]) {
		candidates = append(candidates, "PRP-"+m[1])
	}
	for _, c := range append(candidates, p.ids...) {
		c = strings.ReplaceAll(strings.Trim(strings.TrimSpace(c), "*`[]"), " ", "-")
		if c != "" && !strings.EqualFold(c, "tbd") && strings.ContainsAny(c, "0123456789") && CheckID(c) == nil {
			p.doc.ID = c
			return
		}
	}
}
