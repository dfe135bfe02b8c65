package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/prpflow/prpflow/workflow"
)

// Open opens one and the same store as a process: worker names it, "" is one
// that lives shortly.
type Open func(worker string) workflow.Store

// Run holds a store to the contract. open is called once for each test; what it
// answers opens the store of that test, and is to be closed at its end. All may
// open one and the same store: the tests of the outbox, which take what they
// find, run one after the other.
func Run(t *testing.T, open func(t *testing.T) Open) {
	t.Helper()
	for _, p := range outboxPromises {
		t.Run(p.name, func(t *testing.T) { p.test(t, newWorld(t, open(t))) })
	}
	for _, p := range slices.Concat(applyPromises, refusalPromises, listPromises, otherPromises) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.test(t, newWorld(t, open(t)))
		})
	}
}

// RunAlone holds a store to the promises about what there is only one of. open
// gives a store that nobody else uses, empty.
func RunAlone(t *testing.T, open func(t *testing.T) Open) {
	t.Helper()
	for _, p := range alonePromises {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.test(t, newWorld(t, open(t)))
		})
	}
}

// RunWithClock holds a store to the promises about time. open gives a store that
// nobody else uses, empty, and moves its clock, which stands still else; back
// too.
func RunWithClock(t *testing.T, open func(t *testing.T) (Open, func(by time.Duration))) {
	t.Helper()
	for _, p := range clockPromises {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			o, advance := open(t)
			w := newWorld(t, o)
			w.advance = advance
			p.test(t, w)
		})
	}
}

type promise struct {
	name string
	test func(t *testing.T, w *world)
}

// world is a store and what a test does with it.
type world struct {
	t    *testing.T
	ctx  context.Context //nolint:containedctx // of the test
	open Open
	workflow.Store
	advance func(by time.Duration)
	unique  string
}

func newWorld(t *testing.T, open Open) *world {
	t.Helper()
	return &world{t: t, ctx: t.Context(), open: open, Store: open(""), unique: random()}
}
