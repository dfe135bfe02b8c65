package fsm

import (
	"fmt"
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"
)

// boolean is an error where an expression, or a part of it that must be true or
// false, can be neither. The compiler knows the types of what it was told, and
// evidence has none: to it evidence.x + 1 may be anything. vars holds the
// same answer for what let has given a name to.
func boolean(node ast.Node, vars map[string]error) error {
	switch n := node.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return boolean(n.Node, vars)
		}
		return noBoolean("the result of " + n.Operator)
	case *ast.BinaryNode:
		switch {
		case slices.Contains(connectives, n.Operator):
			return both(n.Left, n.Right, vars)
		case slices.Contains(arithmetic, n.Operator):
			return noBoolean("the result of " + n.Operator)
		}
	case *ast.ConditionalNode:
		if err := boolean(n.Cond, vars); err != nil {
			return err
		}
		return both(n.Exp1, n.Exp2, vars)
	case *ast.PredicateNode:
		return boolean(n.Node, vars)
	case *ast.ChainNode:
		return boolean(n.Node, vars)
	case *ast.SequenceNode:
		return boolean(n.Nodes[len(n.Nodes)-1], vars)
	case *ast.VariableDeclaratorNode:
		inner := maps.Clone(vars)
		inner[n.Name] = boolean(n.Value, vars)
		return boolean(n.Expr, inner)
	case *ast.IdentifierNode:
		return vars[n.Value]
	case *ast.BuiltinNode:
		switch {
		case slices.Contains(numeric, n.Name):
			return noBoolean("the result of " + n.Name)
		case n.Name == "reduce": // what its second argument gives
			return boolean(n.Arguments[1], vars)
		}
	case *ast.SliceNode:
		return noBoolean("a part of a list or a text")
	case *ast.NilNode, *ast.IntegerNode, *ast.FloatNode, *ast.StringNode, *ast.BytesNode, *ast.ArrayNode, *ast.MapNode:
		return noBoolean(node.String())
	}
	return nil
}

// Operators whose operands must be able to be what the whole is to be, and those
// that give a number, a text or a list.
var (
	connectives = []string{"and", "&&", "or", "||", "??"}
	arithmetic  = []string{"+", "-", "*", "/", "%", "**", "^", ".."}
)

// numeric are the functions that give a number or a list, of which the compiler
// says that they give anything. It knows the others.
var numeric = []string{"abs", "max", "min", "sum", "mean", "median", "take"}

func both(left, right ast.Node, vars map[string]error) error {
	if err := boolean(left, vars); err != nil {
		return err
	}
	return boolean(right, vars)
}

func noBoolean(got string) error { return fmt.Errorf("expected bool, but got %s", got) }
