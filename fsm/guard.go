package fsm

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	exprparser "github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// Facts are what the guards of an edge see.
type Facts struct {
	PRP      map[string]any // prp: all of PRPFacts
	Evidence map[string]any // evidence
	Attempt  int            // attempt
}

// env is what an expression can name, whether a fact is there or not.
func (f Facts) env() map[string]any {
	env := map[string]any{"prp": f.PRP, "evidence": f.Evidence, "attempt": f.Attempt}
	for name, v := range env {
		if m, ok := v.(map[string]any); ok && m == nil {
			env[name] = map[string]any{}
		}
	}
	return env
}

// guard is an expression of an edge, compiled.
type guard struct {
	text    string
	facts   []fact // what it looks at
	program *vm.Program
}

// compile holds a guard to what it may be: a boolean over facts that exist.
func compile(text string) (guard, error) {
	return compileWith(text, typed, func(n ast.Node) error {
		return errors.Join(boolean(n, map[string]error{}), unknownPRPFact(n))
	})
}

// compileStored is how the first version compiled: a PRP may have any fact, and
// what is no boolean does not hold.
func compileStored(text string) (guard, error) {
	return compileWith(text, Facts{}.env(), func(ast.Node) error { return nil })
}

func compileWith(text string, env map[string]any, check func(ast.Node) error) (guard, error) {
	program, err := expr.Compile(text,
		expr.Env(env),
		expr.AsBool(),
		expr.DisableBuiltin("now"), // a decision made twice must come out the same
	)
	if err != nil {
		return guard{}, notCompiled(text, err)
	}
	tree, err := exprparser.Parse(text) // anew: the compiler has rewritten its own tree
	if err == nil {
		err = check(tree.Node)
	}
	if err != nil {
		return guard{}, notCompiled(text, err)
	}
	return guard{oneLine(text), factsOf(tree.Node), program}, nil
}

func notCompiled(text string, err error) error {
	// What follows is the place within the expression, which reads like one in
	// the file, and a drawing with a caret.
	why, _, _ := strings.Cut(err.Error(), "\n")
	why = place.ReplaceAllString(why, "")
	if strings.HasPrefix(why, "unknown field") { // only the facts of a PRP are known
		why += ": " + knownPRPFacts()
	}
	return fmt.Errorf("the guard %q does not compile: %s", oneLine(text), why)
}

var place = regexp.MustCompile(` \(\d+:\d+\)$`)

// Check names each guard that does not hold, in words that an author of
// evidence understands: "coverage_pct >= 80 (is 70)". Evidence of a type that
// the guard cannot use does not hold, and is shown. The error is for an edge
// that no lifecycle gave out.
func (e Edge) Check(f Facts) (missing []string, err error) {
	if len(e.guards) != len(e.Guards) {
		return nil, fmt.Errorf("the edge %s from %s has guards that were not compiled", e.Event, e.From)
	}
	env := f.env()
	for _, g := range e.guards {
		v, err := vm.Run(g.program, env)
		if holds, isBool := v.(bool); err != nil || !isBool || !holds {
			missing = append(missing, g.explain(env))
		}
	}
	return missing, nil
}

// explain says what the guard wants and what it got instead.
func (g guard) explain(env map[string]any) string {
	text := plain(g.text)
	switch len(g.facts) {
	case 0:
		return text
	case 1:
		return fmt.Sprintf("%s (%s)", text, g.facts[0].in(env))
	}
	parts := make([]string, len(g.facts))
	for i, f := range g.facts {
		parts[i] = f.name() + " " + f.in(env)
	}
	return fmt.Sprintf("%s (%s)", text, strings.Join(parts, ", "))
}

// plain leaves out "evidence.", which goes without saying to who reports it.
func plain(text string) string { return strings.ReplaceAll(text, "evidence.", "") }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
