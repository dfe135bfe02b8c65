package fsm

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/types"
)

// prpFacts are what a guard can ask about a PRP, each with a value of its type.
var prpFacts = []struct {
	name  string
	value any
}{
	{"id", ""},
	{"title", ""},
	{"state", ""},
	{"priority", ""},
	{"repo", ""},
	{"revision", 0},
	{"fit", false},       // its document passes the strict lint
	{"unblocked", false}, // it waits for no other PRP
}

// PRPFacts are the names that Facts.PRP has, no more and no fewer, and the kinds
// of their values. The caller owns the map.
func PRPFacts() map[string]reflect.Kind {
	kinds := make(map[string]reflect.Kind, len(prpFacts))
	for _, f := range prpFacts {
		kinds[f.name] = reflect.TypeOf(f.value).Kind()
	}
	return kinds
}

// typed is what a guard is compiled against: a PRP has known facts, evidence is
// whatever an agent reports.
var typed = func() map[string]any {
	of := types.Map{}
	for _, f := range prpFacts {
		of[f.name] = types.TypeOf(f.value)
	}
	return map[string]any{"prp": of, "evidence": map[string]any{}, "attempt": 0}
}()

// knownPRPFacts ends the sentence about one that is not.
func knownPRPFacts() string {
	names := make([]string, len(prpFacts))
	for i, f := range prpFacts {
		names[i] = f.name
	}
	return "prp has " + strings.Join(names, ", ")
}

// asked finds what the compiler takes for any key of any map: get(prp, "aproved")
// and "aproved" in prp.
type asked struct{ unknown string }

// Visit implements ast.Visitor.
func (v *asked) Visit(node *ast.Node) {
	var in, key ast.Node
	switch n := (*node).(type) {
	case *ast.BuiltinNode:
		if n.Name == "get" && len(n.Arguments) == 2 {
			in, key = n.Arguments[0], n.Arguments[1]
		}
	case *ast.BinaryNode:
		if n.Operator == "in" {
			in, key = n.Right, n.Left
		}
	}
	name, ok := key.(*ast.StringNode)
	if !ok || !slices.Equal(chain(in), fact{"prp"}) {
		return
	}
	if _, known := PRPFacts()[name.Value]; !known {
		v.unknown = name.Value
	}
}

// unknownPRPFact is an error where an expression asks for one in that way.
func unknownPRPFact(root ast.Node) error {
	var v asked
	ast.Walk(&root, &v)
	if v.unknown == "" {
		return nil
	}
	return fmt.Errorf("unknown field %s", v.unknown)
}
