package prp

import "strings"

// value is what a field says: a text, or a list that the author wrote as one.
type value struct {
	text  string
	items []string
	list  bool
	line  int // index
	last  int // index of the last line of a list, if it is another
}

// fields are the values of one carrier, by key as plain writes it.
type fields map[string]value

// The keys of each field, the strongest first.
var (
	idKeys       = []string{"prp id", "id", "task id", "work item"}
	titleKeys    = []string{"title", "name"}
	priorityKeys = []string{"priority", "prioridade", "prioridad", "priorität", "priorité", "优先级", "優先級"}
	statusKeys   = []string{"status", "prp status", "estado", "状态", "狀態", anyStatus}
	repoKeys     = []string{"repo", "repository"}
	dependsKeys  = []string{"depends on", "dependencies", "dependency", "depends", "requires", "blocked by", "prerequisites", "upstream", "dependências", "dependencias", "依赖", "依賴"}
	typeKeys     = []string{"type"}
)

// anyStatus is where keys such as "Project Status" are kept.
const anyStatus = "… status"

var knownKeys = func() map[string]bool {
	known := map[string]bool{}
	for _, keys := range [][]string{idKeys, titleKeys, priorityKeys, statusKeys, repoKeys, dependsKeys, typeKeys} {
		for _, k := range keys {
			known[k] = true
		}
	}
	return known
}()

var spelling = strings.NewReplacer("_", " ", "-", " ", "`", "")

// plain writes a key in one way: prp_id, PRP-ID and "PRP ID" are the same.
func plain(key string) string {
	return strings.ToLower(spelling.Replace(strings.Trim(key, `"' `)))
}

// set keeps the first value of a key that is known.
func (f fields) set(key string, v value) {
	key = plain(key)
	if strings.HasSuffix(key, " status") && !knownKeys[key] {
		key = anyStatus
	}
	if _, twice := f[key]; twice || !knownKeys[key] {
		return
	}
	v.text = strings.Trim(clean(v.text), "` ")
	if v.text != "" || len(v.items) > 0 {
		f[key] = v
	}
}

// carriers are the places that fields stand in, the strongest first.
func (p *parser) carriers() []fields { return []fields{p.front, p.fenced, p.header, p.tail} }

// spanOf is where a value was read.
func (p *parser) spanOf(v value) Span {
	if v.text == "" && len(v.items) == 0 {
		return Span{}
	}
	return Span{p.lines[v.line].span.Start, p.lines[max(v.line, v.last)].span.End}
}

// first looks for the keys in one place after the other.
func (p *parser) first(keys []string) value {
	for _, f := range p.carriers() {
		for _, k := range keys {
			if v, ok := f[k]; ok {
				return v
			}
		}
	}
	return value{}
}
