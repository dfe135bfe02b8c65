// Package workflow is the engine that carries a PRP through its lifecycle.
//
// The core decides and returns data: Decide takes a record and an event and
// answers with a Transition, the state to save and the jobs and messages that
// follow from it. A Store saves all of it at once or nothing; only what has
// been saved is ever sent, from the outbox that was saved with it.
package workflow
