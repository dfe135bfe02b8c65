// Package bus speaks the pub/sub format of the system that prpflow replaces, so
// that its clients and ours hear each other: JSON objects on the Redis channels
// agent:<name> and agent:broadcast.
//
// Pub/sub delivers at most once, and only to current subscribers. A Listener adds
// two guarantees: a message that has reached this process survives a short failure
// of its handler, and no message is handled so late that the receiver may have
// forgotten it already got it from another listener.
package bus
