// Package workflow decides how a PRP moves through its lifecycle.
//
// It is pure: every decision takes a Record and a Context and answers with a
// Change, the state to save and the entries to send that follow from it. A
// store saves all of a change or nothing; only what has been saved is ever
// sent, from the outbox that was saved with it.
//
// Package engine reads, decides and saves; package sweep watches. Both are
// given a store through the small interfaces of store.go.
package workflow
