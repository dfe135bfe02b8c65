package tasks

import (
	"encoding/json"
	"fmt"
)

// OrderVersion is the version of the wire form of an Order.
const OrderVersion = 1

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

// DecodeOrder reads the wire form of an order.
func DecodeOrder(b []byte) (Order, error) {
	var o Order
	if err := json.Unmarshal(b, &o); err != nil {
		return o, fmt.Errorf("order is not JSON: %w", err)
	}
	return o, o.validate()
}

func (o Order) validate() error {
	if o.V < 1 || o.V > OrderVersion {
		return fmt.Errorf("order has version %d, this program reads up to %d", o.V, OrderVersion)
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
