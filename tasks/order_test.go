package tasks_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/prpflow/prpflow/tasks"
)

var order = tasks.Job{ID: "PRP-7:3:abc", PRP: "PRP-7", Fence: 3, Type: "prp.develop", Role: "developer", Queue: "agent:dev-1"}.Order()

func TestOrderSurvivesTheWire(t *testing.T) {
	t.Parallel()
	b, err := order.Encode()
	if err != nil {
		t.Fatal(err)
	}
	// Wire strings never change: orders of an older release are still queued.
	if want := `{"v":1,"job":"PRP-7:3:abc","prp":"PRP-7","fence":3,"type":"prp.develop"}`; string(b) != want {
		t.Errorf("wire form is %s", b)
	}
	got, err := tasks.DecodeOrder(b)
	if err != nil || got != order {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestUnknownFieldsOfAnOrderAreIgnored(t *testing.T) {
	t.Parallel()
	got, err := tasks.DecodeOrder([]byte(`{"v":1,"job":"PRP-7:3:abc","prp":"PRP-7","fence":3,"type":"prp.develop","trace":"x"}`))
	if err != nil || got != order {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestOrderThatContradictsItselfIsNeitherSentNorTaken(t *testing.T) {
	t.Parallel()
	for says, change := range map[string]func(*tasks.Order){
		"version 0":          func(o *tasks.Order) { o.V = 0 },
		"version 2":          func(o *tasks.Order) { o.V = tasks.OrderVersion + 1 },
		"not a job id":       func(o *tasks.Order) { o.Job = "PRP-7" },
		"contradicts":        func(o *tasks.Order) { o.PRP = "PRP-8" },
		"contradicts itself": func(o *tasks.Order) { o.Fence = 4 },
		"of job PRP-7:3:abc": func(o *tasks.Order) { o.Type = "" },
	} {
		o := order
		change(&o)
		if _, err := o.Encode(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error is %v", says, err)
		}
	}
}

func TestWhatIsNoOrderIsNotTaken(t *testing.T) {
	t.Parallel()
	for _, wire := range []string{"", "x", "null", "[]", `{"v":1}`, `{"v":99,"job":"PRP-7:3:abc"}`} {
		if _, err := tasks.DecodeOrder([]byte(wire)); err == nil {
			t.Errorf("%q was taken", wire)
		}
	}
}

// A newer program may have changed everything but the version.
func TestNewerOrderIsToldFromABrokenOne(t *testing.T) {
	t.Parallel()
	for wire, newer := range map[string]bool{
		`{"v":2,"job":"PRP-7:3:abc","prp":"PRP-7","fence":3,"type":"prp.develop"}`: true,
		`{"v":2}`: true,
		`{"v":99,"job":{"id":7},"fence":"three"}`: true,
		`{"v":1e300}`: true,
		`{"v":1,"job":"PRP-7:3:abc","prp":"PRP-7","fence":"3"}`: false,
		`{"v":"2"}`: false,
		`{"v":2`:    false,
		`{"v":0}`:   false,
		`{}`:        false,
		`[2]`:       false,
	} {
		if _, err := tasks.DecodeOrder([]byte(wire)); err == nil || errors.Is(err, tasks.ErrNewerOrder) != newer {
			t.Errorf("%s: %v", wire, err)
		}
	}
}

func TestOrderHasABound(t *testing.T) {
	t.Parallel()
	o := order
	o.Type = strings.Repeat("x", tasks.MaxOrder)
	if _, err := o.Encode(); err == nil {
		t.Error("an order of any size is sent")
	}
}
