package fsm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// fact is the way to something that a guard looks at: evidence, coverage_pct.
type fact []string

// roots are the names that Facts gives to an expression.
var roots = []string{"prp", "evidence", "attempt"}

func (f fact) name() string { return plain(strings.Join(f, ".")) }

// in says what the fact is: "is 70", `is the text "91"`, "missing".
func (f fact) in(env map[string]any) string {
	var v any = env
	for _, key := range f {
		m, ok := v.(map[string]any)
		if !ok {
			return "missing"
		}
		if v, ok = m[key]; !ok {
			return "missing"
		}
	}
	if s, ok := v.(string); ok {
		return fmt.Sprintf("is the text %s", short(fmt.Sprintf("%q", s)))
	}
	shown, err := json.Marshal(v)
	if err != nil { // a value that did not come from JSON
		shown = fmt.Append(nil, v)
	}
	return "is " + short(string(shown))
}

// short keeps a sentence a sentence whatever an agent put into its evidence.
func short(text string) string {
	const most = 80
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

// factsOf lists what an expression looks at, each once, in its order.
func factsOf(root ast.Node) []fact {
	var found finder
	ast.Walk(&root, &found)
	return found.facts
}

// finder collects the longest chains of names. Walk comes to the inner part of
// a chain just before the chain itself, which then takes its place.
type finder struct{ facts []fact }

// Visit implements ast.Visitor.
func (v *finder) Visit(node *ast.Node) {
	f := chain(*node)
	if f == nil {
		return
	}
	if last := len(v.facts) - 1; last >= 0 && len(f) > 1 && slices.Equal(v.facts[last], f[:len(f)-1]) {
		v.facts = v.facts[:last]
	}
	if !slices.ContainsFunc(v.facts, func(known fact) bool { return slices.Equal(known, f) }) {
		v.facts = append(v.facts, f)
	}
}

// chain reads a.b.c, also written a["b"]?.c, where a is a fact; else it is nil.
func chain(node ast.Node) fact {
	switch n := node.(type) {
	case *ast.IdentifierNode:
		if slices.Contains(roots, n.Value) {
			return fact{n.Value}
		}
	case *ast.ChainNode:
		return chain(n.Node)
	case *ast.MemberNode:
		key, ok := n.Property.(*ast.StringNode)
		if in := chain(n.Node); ok && in != nil {
			return append(slices.Clip(in), key.Value)
		}
	}
	return nil
}
