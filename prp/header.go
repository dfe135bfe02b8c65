package prp

import (
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	yamlparser "github.com/goccy/go-yaml/parser"
)

var (
	fieldRE    = regexp.MustCompile(`^\s*(?:[-*>]\s+)*\*\*([^*:]{1,40}?)\s*:?\*\*\s*:?\s*(.*?)\s*\\?$`)
	cellRE     = regexp.MustCompile(`^\s*\|\s*\**([^|*]{1,40}?)\**\s*\|\s*([^|]*?)\s*\|\s*$`)
	pNumberRE  = regexp.MustCompile(`(?i)\bP([0-3])\b`)
	priorities = map[string]string{"critical": "P0", "urgent": "P0", "blocker": "P0", "high": "P1", "medium": "P2", "low": "P3"}
	wordRE     = regexp.MustCompile(`[A-Za-z]+`)
)

// frontMatter reads YAML between two lines ---, and gives the first line after it.
func (p *parser) frontMatter() int {
	p.front = map[string]string{}
	if strings.TrimSpace(p.lines[0].text) != "---" {
		return 0
	}
	for i := 1; i < len(p.lines); i++ {
		if t := strings.TrimSpace(p.lines[i].text); t != "---" && t != "..." {
			continue
		}
		var source strings.Builder
		for _, l := range p.lines[1:i] {
			source.WriteString(l.text + "\n")
		}
		p.yaml(source.String())
		return i + 1
	}
	return 0
}

// yaml takes the scalars and lists of the front matter as they are written, so
// that an id such as 46.1 stays text.
func (p *parser) yaml(source string) {
	file, err := yamlparser.ParseBytes([]byte(source), 0)
	if err != nil || len(file.Docs) == 0 {
		p.warn("front-matter", 0, "the front matter is not YAML", "mend it, or state the fields as bold lines under the title")
		return
	}
	mapping, ok := file.Docs[0].Body.(*ast.MappingNode)
	if !ok {
		if one, is := file.Docs[0].Body.(*ast.MappingValueNode); is {
			p.set(one.Key.String(), scalarOf(one.Value))
		}
		return
	}
	for _, v := range mapping.Values {
		p.set(v.Key.String(), scalarOf(v.Value))
	}
}

func scalarOf(n ast.Node) string {
	switch v := n.(type) {
	case *ast.SequenceNode:
		var items []string
		for _, item := range v.Values {
			items = append(items, scalarOf(item))
		}
		return strings.Join(items, ", ")
	case *ast.StringNode:
		return v.Value
	case *ast.LiteralNode:
		return v.Value.Value
	case *ast.NullNode, nil:
		return ""
	}
	return strings.TrimSpace(n.GetToken().Value)
}

// set keeps the first value of a key, spelled in one way.
func (p *parser) set(key, value string) {
	key = strings.ToLower(strings.NewReplacer("_", " ", "-", " ", "`", "").Replace(strings.Trim(key, `"' `)))
	if _, known := p.front[key]; !known {
		p.front[key] = strings.Trim(strings.TrimSpace(value), "`")
	}
}

// header reads the fields that stand in bold lines or tables up to the second
// section.
func (p *parser) header() {
	end := len(p.lines)
	seen := 0
	for _, h := range p.heads {
		if h.level == 2 {
			if seen++; seen == 2 {
				end = h.line
				break
			}
		}
	}
	for _, l := range p.lines[p.body:max(end, p.body)] {
		if l.fenced {
			continue
		}
		if m := fieldRE.FindStringSubmatch(l.text); m != nil && m[2] != "" {
			p.set(m[1], m[2])
		} else if m := cellRE.FindStringSubmatch(l.text); m != nil {
			p.set(m[1], m[2])
		}
	}
	p.doc.Priority = priority(p.first("priority"))
	p.doc.Status = p.first("status", "prp status")
	p.doc.Repo = p.first("repo", "repository")
	p.doc.DependsOn = dependencies(p.first("dependencies", "depends on", "dependency", "requires", "blocked by", "depends"))
}

func (p *parser) first(keys ...string) string {
	for _, k := range keys {
		if v := p.front[k]; v != "" {
			return v
		}
	}
	return ""
}

// priority reads P0 to P3, or the first word that means one.
func priority(text string) string {
	if m := pNumberRE.FindStringSubmatch(text); m != nil {
		return "P" + m[1]
	}
	for _, w := range wordRE.FindAllString(text, -1) {
		if p := priorities[strings.ToLower(w)]; p != "" {
			return p
		}
	}
	return ""
}

// dependencies takes what can only mean a PRP out of a line: ids and names of
// documents. Packages and prose are no dependencies.
func dependencies(text string) []string {
	out := []string{}
	for _, token := range dependencyRE.FindAllString(text, -1) {
		token = strings.TrimSuffix(strings.TrimRight(token, ".,:;"), ".md")
		if token != "" && !contains(out, token) {
			out = append(out, token)
		}
	}
	return out
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
