// Package storetest is the contract of a workflow.Store as tests: whoever
// writes a store runs them against it. Every test takes ids of its own, so that
// a store may be shared and is never emptied.
package storetest
