package tasks

import (
	"encoding/json"
	"errors"
	"fmt"
)

// OrderVersion is the version of the wire form of an Order.
const OrderVersion = 1

// ErrNewerOrder is returned for an order whose version is above OrderVersion: a
// newer program wrote it, and will read it.
var ErrNewerOrder = errors.New("the order is a newer program's")

// MaxOrder bounds an encoded order: orders carry ids, never documents.
const MaxOrder = 16 << 10

// Order is what travels in the broker: ids and the fence, nothing that can
// grow stale. Everything else is read from the record at the claim.
type Order struct {
	V     int    `json:"v"`
	Job   string `json:"job"`
	PRP   string `json:"prp"`
	Fence int64  `json:"fence"`
	Type  string `json:"type"`
}

// Order makes the order that carries a job.
func (j Job) Order() Order {
	return Order{V: OrderVersion, Job: j.ID, PRP: j.PRP, Fence: j.Fence, Type: j.Type}
}

// Encode validates the order and writes its wire form.
func (o Order) Encode() ([]byte, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(o)
	if err == nil && len(b) > MaxOrder {
		err = fmt.Errorf("order of job %s has %d bytes, at most %d are allowed", o.Job, len(b), MaxOrder)
	}
	return b, err
}

// DecodeOrder reads the wire form of an order. Of a newer one, which wraps
// ErrNewerOrder, nothing but the version is looked at.
func DecodeOrder(b []byte) (Order, error) {
	var head struct{ V float64 }
	if err := json.Unmarshal(b, &head); err == nil && head.V > OrderVersion {
		return Order{}, newer(head.V)
	}
	var o Order
	if err := json.Unmarshal(b, &o); err != nil {
		return o, fmt.Errorf("order is not JSON: %w", err)
	}
	return o, o.validate()
}

func (o Order) validate() error {
	if o.V > OrderVersion {
		return newer(float64(o.V))
	}
	if o.V < 1 {
		return fmt.Errorf("order has version %d, the first is 1", o.V)
	}
	prp, fence, err := ParseJobID(o.Job)
	if err != nil {
		return fmt.Errorf("order: %w", err)
	}
	if prp != o.PRP || fence != o.Fence || o.Type == "" {
		return fmt.Errorf("order of job %s contradicts itself", o.Job)
	}
	return nil
}

func newer(version float64) error {
	return fmt.Errorf("%w: it has version %.0f, this program reads up to %d", ErrNewerOrder, version, OrderVersion)
}
