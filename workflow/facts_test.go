package workflow

import (
	"reflect"
	"testing"

	"github.com/prpflow/prpflow/fsm"
)

// A guard is compiled against the facts that fsm names: one that is called
// otherwise here, or has another type, would silently never hold.
func TestFactsAreThoseThatGuardsAreCompiledAgainst(t *testing.T) {
	t.Parallel()
	d := begin(Context{Lifecycle: fsm.Default()}, Record{})
	got := map[string]reflect.Kind{}
	for name, v := range d.facts(nil).PRP {
		got[name] = reflect.TypeOf(v).Kind()
	}
	if want := fsm.PRPFacts(); !reflect.DeepEqual(got, want) {
		t.Errorf("the engine gives %v, guards are compiled against %v", got, want)
	}
}
