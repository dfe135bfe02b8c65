// Package memstore is the reference store: what workflow.Store promises, in
// memory and in plain Go. The suite in storetest holds it and every other store
// to the same promises; simulations run on it.
package memstore
