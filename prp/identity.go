package prp

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The shapes of ids: PRP-1058, PRP-34.2.5, PRP-P0-006; P0-021; P1.M2.T2.S1;
// TASK-12, issue-488.
const (
	prpShape  = `(?i:PRP)[-_ ]?(?:[A-Z]\d-)?\d[A-Za-z0-9.]*`
	planShape = `P\d-\d[A-Za-z0-9]*|P\d+(?:\.[A-Z]\d+)+`
	anyShape  = `(?:[A-Z]{1,12}\d*|(?i:issue|task|ticket|story|bug))-\d[A-Za-z0-9]*(?:[.-]\d[A-Za-z0-9]*)*`
)

var (
	checkRE      = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)
	inNameRE     = regexp.MustCompile(`^(` + prpShape + `|` + planShape + `|` + anyShape + `)(?:$|[^A-Za-z0-9.])`)
	inTitleRE    = regexp.MustCompile(`^(?:(` + prpShape + `|` + planShape + `)(?:$|[^A-Za-z0-9.])|(` + anyShape + `)\s*(?:$|[:—–]|-\s))`)
	bareNumberRE = regexp.MustCompile(`^(\d{1,4}(?:\.\d{1,4})*)(?:[-_ .]|$)`)
	dateRE       = regexp.MustCompile(`^(?:19|20)\d\d[-_.](?:0[1-9]|1[0-2])(?:[-_. ]|$)`)
	dependencyRE = regexp.MustCompile(`^(?:PRP-[A-Za-z0-9][A-Za-z0-9._-]*|` + prpShape + `|` + planShape + `|` + anyShape + `)$`)
	undecidedRE  = regexp.MustCompile(`(?i)^(?:tbd|todo|none|null|n/a|-+|\?+)(?:\W|$)`)
)

// standards look like ids and are none.
var standards = map[string]bool{
	"AES": true, "CVE": true, "CWE": true, "ES": true, "GPT": true, "HTTP": true, "ISO": true, "JDK": true, "MD": true, "PEP": true,
	"RFC": true, "RSA": true, "SHA": true, "SSL": true, "TLS": true, "USB": true, "UTF": true,
	"DAY": true, "PART": true, "PHASE": true, "SPRINT": true, "STAGE": true, "STEP": true, "WEEK": true,
}

func isStandard(s string) bool {
	prefix, _, _ := strings.Cut(s, "-")
	return standards[strings.ToUpper(prefix)]
}

// CheckID says whether an id can be used: in URLs, on the command line, in keys.
func CheckID(id string) error {
	if strings.HasPrefix(id, "-") {
		return fmt.Errorf("the id %q cannot be used: a command line would take it for a flag", id)
	}
	if !checkRE.MatchString(id) {
		return fmt.Errorf("the id %q cannot be used: an id is 1 to 128 of A-Z a-z 0-9 . _ : -", id)
	}
	if id == "." || id == ".." {
		return fmt.Errorf("the id %q cannot be used: in URLs and paths it means a folder", id)
	}
	return nil
}

// identity finds the id: front matter, header, file name, title. What the text
// merely mentions is none.
func (p *parser) identity() {
	for _, f := range p.carriers() {
		for _, key := range idKeys {
			if p.doc.ID = p.stated(f[key]); p.doc.ID != "" {
				p.doc.Spans.ID = p.spanOf(f[key])
				return
			}
		}
	}
	if p.doc.ID = inFileName(p.name); p.doc.ID == "" && len(p.ids) > 0 {
		p.doc.ID = p.ids[0]
	}
}

// stated reads a field that gives the id.
func (p *parser) stated(v value) string {
	text := strings.Trim(v.text, "*`[]\"' ")
	if text == "" || undecidedRE.MatchString(text) {
		return ""
	}
	if CheckID(text) == nil {
		return text
	}
	if m := inNameRE.FindStringSubmatch(text); m != nil { // "PRP 03", "PRP-7 (was P0-034)"
		if id := tidy(m[1]); id != "" {
			return id
		}
	}
	p.warn("id-unusable", v.line, "the id that the document states cannot be used")
	return ""
}

func inFileName(name string) string {
	stem := stemOf(name)
	if m := inNameRE.FindStringSubmatch(stem); m != nil && !isStandard(m[1]) {
		return tidy(m[1])
	}
	if m := bareNumberRE.FindStringSubmatch(stem); m != nil && len(stem) > len(m[1]) && !dateRE.MatchString(stem) {
		return "PRP-" + m[1]
	}
	return ""
}

// tidy writes an id that was found without spaces and final dots, "" where that
// is none.
func tidy(id string) string {
	id = strings.TrimRight(strings.ReplaceAll(id, " ", "-"), ".")
	if CheckID(id) != nil {
		return ""
	}
	return id
}

func stemOf(name string) string {
	base := filepath.Base(name)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// Names lists what a PRP may be called by a token that stands for it, the
// likeliest first: the token, the id in it if it is the name of a file, the slug
// of that file.
func Names(token string) []string {
	names := []string{token}
	for _, name := range []string{inFileName(token + ".md"), Slug(token + ".md")} {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
